// The options of an export, from the fields of its panel and from what the page shows. Pure.

/** @import { ExportFormat } from "../protocol/types.js" */
/** @import { View } from "../ui/view-state.js" */

/** @typedef {"epoch" | "steps"} StepRange all that a layout shows by itself, or chosen steps */

/**
 * What the fields of the panel hold; empty for a default.
 * @typedef {object} ExportFields
 * @property {string} format
 * @property {string} layout
 * @property {StepRange} range
 * @property {string} first
 * @property {string} last
 * @property {string} frames
 * @property {string} samples
 * @property {string} fps
 * @property {string} seconds
 * @property {string} scale
 * @property {string} width
 * @property {boolean} charts
 * @property {string} still
 * @property {string} table
 */

// Layers of the page that an export can draw.
const LAYERS = /** @type {const} */ (["dots", "outline", "mesh", "trail", "inverse"]);
const DEFAULT_CHARTS = "loss,accuracy,stillness";

/** @param {string} layout */
const isStageLayout = (layout) => layout === "stage" || layout === "one";

/**
 * Return the names of the fields that have an effect.
 * @param {ExportFormat} format
 * @param {Pick<ExportFields, "layout" | "range" | "still">} fields
 */
export function usedFields({ options, kind }, { layout, range, still }) {
  const takesRange = options.includes("frames");
  const used = new Set(["format"]);
  for (const name of ["layout", "fps", "seconds", "scale", "width", "still", "table"]) {
    if (options.includes(name)) used.add(name);
  }
  if (options.includes("samples") && layout !== "one") used.add("samples");
  if (takesRange) used.add("range");
  if (takesRange && range === "steps") {
    ["first", "last", "frames"].forEach((name) => used.add(name));
  }
  if (!takesRange && options.includes("last")) used.add("last");
  if (options.includes("charts") && isStageLayout(layout)) used.add("charts");
  if (kind === "still" && still === "poster") used.delete("frames");
  return used;
}

/**
 * Return the options of a request; those that have no effect, or their default, are left out.
 * @param {ExportFormat} format
 * @param {ExportFields} fields
 * @param {number[]} picked indices of probes; empty for as many as `samples`
 * @param {View} view what the page shows, for the layouts that show the same
 * @returns {Record<string, string | number>}
 */
export function exportOptions(format, fields, picked, view) {
  const used = usedFields(format, fields);
  /** @type {Record<string, string | number>} */
  const options = { format: format.name };
  for (const name of ["first", "last", "frames", "samples", "fps", "seconds", "scale", "width"]) {
    const text = fields[/** @type {"first"} */ (name)];
    if (used.has(name) && text !== "") options[name] = Number(text);
  }
  for (const name of ["layout", "still", "table"]) {
    if (used.has(name)) options[name] = fields[/** @type {"layout"} */ (name)];
  }
  const { layout } = fields;
  if (format.options.includes("probes")) {
    const probes = picked.length === 0 && layout === "one" ? [view.probe] : picked;
    if (probes.length) {
      delete options.samples;
      options.probes = (layout === "one" ? probes.slice(-1) : probes).join(",");
    }
  }
  if (format.options.includes("layers") && isStageLayout(layout)) {
    options.layers = LAYERS.filter((name) => view.layers[name]).join(",");
    if (fields.charts) options.charts = DEFAULT_CHARTS;
    if (view.compare !== null) options.compare = view.compare;
  }
  return options;
}

/**
 * Return the picked probes after one was pressed: it is added, or taken away.
 * @param {number[]} picked
 * @param {number} probe
 */
export const togglePicked = (picked, probe) =>
  picked.includes(probe) ? picked.filter((each) => each !== probe) : [...picked, probe];
