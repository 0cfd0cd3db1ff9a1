// The legend of views and layers: a button, and the list that it opens over the stage.

import { element, svgElement } from "../ui/dom.js";

/** @typedef {{title: string, hint: string, key?: string}} Choice with the key that chooses it */

const GAP = 6;
// Half the width of a mark's drawing in CSS pixels.
const MARK = 8;

/**
 * What is drawn at a region's corners: the classes of its lines, and its text.
 * @type {[string[], string][]}
 */
const MARKS = [
  [
    ["stn-square stn-halo", "stn-square stn-line"],
    "The corner that becomes the output's top left; it shows whether a region is turned or mirrored",
  ],
  [["stn-round stn-halo", "stn-round stn-line"], "The three other corners"],
  [
    ["stn-round stn-halo", "stn-round stn-line", "stn-round stn-hollow"],
    "A corner that lies further out, drawn at the margin's edge",
  ],
];

/**
 * Create the button and its list.
 * @param {[string, Choice[]][]} groups titles, and what each has
 */
export function createLegend(groups) {
  const marks = MARKS.flatMap(([lines, text]) => [
    element("dt", {}, markOf(lines)),
    element("dd", {}, text),
  ]);
  const lists = groups.flatMap(([title, choices]) => [
    element("h4", {}, title),
    element("dl", {}, ...choices.flatMap(entryOf)),
  ]);
  const panel = element(
    "div.stn-legend-panel",
    { popover: "auto", role: "dialog", aria: { label: "Legend" } },
    element("h4", {}, "On the stage"),
    element("dl", {}, ...marks),
    ...lists,
  );
  const button = element("button.stn-chip", { type: "button" }, "Legend");
  button.title = "What the views, the layers and the marks on the stage are";
  button.popoverTargetElement = panel;
  panel.ontoggle = (event) => {
    if (event.newState === "open") placeBelow(panel, button);
  };
  return [button, panel];
}

/** @param {Choice} choice */
const entryOf = ({ title, hint, key }) => [
  element("dt", {}, title, ...(key ? [" ", element("kbd", {}, key)] : [])),
  element("dd", {}, hint),
];

/**
 * Draw a mark as the stage does.
 * @param {string[]} lines classes of its lines
 */
function markOf(lines) {
  const viewBox = `${-MARK} ${-MARK} ${2 * MARK} ${2 * MARK}`;
  const picture = svgElement("svg", { class: "stn-overlay", viewBox, "aria-hidden": "true" });
  picture.append(...lines.map((line) => svgElement("path", { class: line, d: "M0,0h0" })));
  return picture;
}

/**
 * Place an open panel below a button, within the window.
 * @param {HTMLElement} panel
 * @param {HTMLElement} button
 */
function placeBelow(panel, button) {
  const { left, bottom } = button.getBoundingClientRect();
  const maximum = innerWidth - panel.offsetWidth - GAP;
  panel.style.left = `${Math.max(GAP, Math.min(left, maximum))}px`;
  panel.style.top = `${bottom + GAP}px`;
  panel.style.maxHeight = `${innerHeight - bottom - 2 * GAP}px`;
}
