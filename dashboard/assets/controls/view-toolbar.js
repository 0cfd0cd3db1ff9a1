// The toolbar that chooses the view that fills the stage, and the layers drawn on it.

import { createLegend } from "./layer-legend.js";
import { element } from "../ui/dom.js";
import { LAYER_NAMES, toggleLayer } from "../ui/view-state.js";

/** @import { Layers, View, ViewKind } from "../ui/view-state.js" */

/** @import { Choice } from "./layer-legend.js" */

/** @type {Record<ViewKind, Choice>} */
const VIEW_CHOICES = {
  probes: { title: "Probes", hint: "All probes side by side", key: "1" },
  probe: { title: "One probe", hint: "One probe, large, with its numbers", key: "2" },
  summary: {
    title: "Summary",
    hint: "The mean output of all probes, and the distribution of their regions",
    key: "3",
  },
};

/** @type {Record<keyof Layers, Choice>} */
const LAYER_CHOICES = {
  dots: { title: "Dots", hint: "The corners of each region", key: "d" },
  outline: { title: "Outline", hint: "The edge of each region", key: "o" },
  mesh: {
    title: "Mesh",
    hint: "The sampling grid within each region, and a spline's control points",
    key: "m",
  },
  trail: {
    title: "Trail",
    hint: "Where the corners were over the last epoch, or before if its length is unknown",
    key: "t",
  },
  inverse: {
    title: "Pasted back",
    hint: "Each output pasted back where it was sampled, to see what the network keeps",
    key: "b",
  },
  outputs: { title: "Outputs only", hint: "Only the outputs, to see how alike they are" },
};
// Layers that can be drawn on the summary.
const SUMMARY_LAYERS = new Set(["dots", "outline", "trail"]);

export class ViewToolbar {
  /**
   * @param {() => View} getView the current view
   * @param {(view: View) => void} setView
   */
  constructor(getView, setView) {
    this.getView = getView;
    this.views = buttons(VIEW_CHOICES, (kind) => setView({ ...getView(), kind }));
    this.layers = buttons(LAYER_CHOICES, (layer) => setView(toggleLayer(getView(), layer)));
    const legend = createLegend([
      ["Layers", Object.values(LAYER_CHOICES)],
      ["Views", Object.values(VIEW_CHOICES)],
    ]);
    this.element = element(
      "div.stn-view-toolbar",
      {},
      group("stn-segments", "View", Object.values(this.views)),
      group("stn-chips", "Layers", [...Object.values(this.layers), ...legend]),
    );
  }

  /** @param {boolean} hasTransformer whether the network has regions to draw */
  update(hasTransformer) {
    const { kind, layers } = this.getView();
    for (const [name, button] of Object.entries(this.views)) {
      button.setAttribute("aria-pressed", String(name === kind));
    }
    for (const name of LAYER_NAMES) {
      const button = this.layers[name];
      button.setAttribute("aria-pressed", String(layers[name]));
      // Nothing is drawn on outputs alone.
      const isCovered = kind === "probes" && layers.outputs && name !== "outputs";
      button.disabled = !hasTransformer || isCovered;
      // In the other views the outputs are large anyway.
      button.hidden = name === "outputs"
        ? kind !== "probes"
        : kind === "summary" && !SUMMARY_LAYERS.has(name);
    }
  }
}

/**
 * Return what the keys for views and layers do.
 * @param {() => View} getView
 * @param {(view: View) => void} setView
 */
export function viewKeys(getView, setView) {
  /** @type {Record<string, () => void>} */
  const keys = {};
  for (const [kind, { key }] of entries(VIEW_CHOICES)) {
    if (key) keys[key] = () => setView({ ...getView(), kind });
  }
  for (const [layer, { key }] of entries(LAYER_CHOICES)) {
    if (key) keys[key] = () => setView(toggleLayer(getView(), layer));
  }
  return keys;
}

/**
 * @template {string} Name
 * @param {Record<Name, Choice>} choices
 * @param {(name: Name) => void} choose
 */
function buttons(choices, choose) {
  const made = /** @type {Record<Name, HTMLButtonElement>} */ ({});
  for (const [name, { title, hint, key }] of entries(choices)) {
    const button = element("button.stn-chip", { type: "button" }, title);
    button.title = key ? `${hint} (${key})` : hint;
    button.dataset.name = name;
    button.onclick = () => choose(name);
    made[name] = button;
  }
  return made;
}

/**
 * @param {string} className
 * @param {string} label
 * @param {HTMLElement[]} parts
 */
function group(className, label, parts) {
  const made = element(`div.${className}`, { role: "group" }, ...parts);
  made.setAttribute("aria-label", label);
  return made;
}

/**
 * @template {string} Name
 * @template T
 * @param {Record<Name, T>} record
 */
const entries = (record) => /** @type {[Name, T][]} */ (Object.entries(record));
