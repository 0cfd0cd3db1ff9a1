// Accuracy over the strength of each variation: a chart for each, a line for each network, and the
// pictures at the strength under the cursor, which all charts share.

import { createDetails } from "./result-details.js";
import { element, setText } from "../ui/dom.js";
import { createChart, createSwatch } from "./invariance-chart.js";
import { lineStyles } from "./invariance-lines.js";
import { createPictures, loadPictures } from "./invariance-pictures.js";
import { decimal } from "../ui/number-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Draw } from "./invariance-chart.js" */
/** @import { LineStyle } from "./invariance-lines.js" */
/** @import { InvarianceNetwork, InvarianceTable } from "../protocol/types.js" */

const FIRST_INDEX = 3; // of the strength that is shown first
const DETAILS_HINT = "Show what the result file holds: images, seeds, training, machine, command";

/**
 * Create the section of a data set.
 * @param {InvarianceTable} table
 * @param {Pick<Api, "resultPictures">} api
 */
export function createInvarianceSection(table, api) {
  const { title, text, sentences, variations, networks } = table;
  const strengths = networks[0].result.curves[0].points.map(({ strength }) => strength);
  const styles = lineStyles(networks);
  const pictures = networks.map(() => /** @type {ImageBitmap | null} */ (null));
  /** @type {Draw[]} */
  const draws = [];
  let shown = Math.min(FIRST_INDEX, strengths.length - 1);
  const draw = () => draws.forEach((each) => each(shown));
  const slider = createSlider(strengths, shown, show);

  /** @param {number} index */
  function show(index) {
    if (index === shown) return;
    shown = index;
    slider.set(index);
    draw();
  }

  const cells = variations.map(({ name, title: heading, description }) => {
    const content = { table, name, strengths, styles, pictures };
    const cell = element(
      "figure.stn-invariance-cell",
      {},
      element(
        "figcaption.stn-invariance-title",
        { title: description },
        heading,
      ),
      createChart(content, draws, show),
      createPictures(content, draws),
    );
    return cell;
  });
  const details = element("div");
  const legend = networks.map((network, index) =>
    createLegendEntry(network, styles[index], details)
  );
  draw();
  const section = element(
    "details.stn-result-section",
    { open: true },
    element(
      "summary.stn-result-summary",
      {},
      element("span.stn-result-title", {}, `Invariance: ${title}`),
      element(
        "span.stn-muted",
        {},
        "accuracy in % over the strength of each variation",
      ),
    ),
    ...sentences.map((sentence) => element("p.stn-result-recipe", {}, sentence)),
    element("div.stn-invariance-legend", {}, ...legend, slider.element),
    details,
    element("div.stn-invariance-grid", {}, ...cells),
    element("p.stn-result-recipe.stn-muted", {}, text),
  );
  whenVisible(section, () => loadPictures(networks, api, pictures, draw));
  return section;
}

/**
 * Call a function once an element is on the screen.
 * @param {Element} target
 * @param {() => void} load
 */
function whenVisible(target, load) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    load();
  });
  observer.observe(target);
}

/**
 * @param {number[]} strengths
 * @param {number} first
 * @param {Draw} show
 */
function createSlider(strengths, first, show) {
  const input = element("input", {
    type: "range",
    min: "0",
    max: String(strengths.length - 1),
    value: String(first),
  });
  const output = element("output", {}, decimal(strengths[first], 1));
  /** @param {number} index */
  const set = (index) => {
    input.value = String(index);
    input.setAttribute("aria-valuetext", decimal(strengths[index], 1));
    setText(output, decimal(strengths[index], 1));
  };
  input.oninput = () => show(Number(input.value));
  set(first);
  return {
    element: element(
      "label.stn-invariance-slider",
      {},
      "Strength ",
      input,
      output,
    ),
    set,
  };
}

/**
 * @param {InvarianceNetwork} network
 * @param {LineStyle} style
 * @param {HTMLElement} container where the details are shown
 */
function createLegendEntry({ title, origin, file, result }, style, container) {
  const name = origin === "home" ? `${title}, home` : title;
  const button = element("button.stn-figure", {
    type: "button",
    title: DETAILS_HINT,
  }, name);
  button.setAttribute("aria-expanded", "false");
  button.onclick = () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    const section = button.closest(".stn-invariance-legend");
    for (const other of section?.querySelectorAll(".stn-figure") ?? []) {
      other.setAttribute("aria-expanded", "false");
    }
    container.replaceChildren();
    if (isOpen) return;
    button.setAttribute("aria-expanded", "true");
    const notes = result.note ? [result.note] : [];
    container.append(
      createDetails({ file, origin, command: result.command, notes, result }),
    );
  };
  return element("span.stn-invariance-entry", {}, createSwatch(style), button);
}
