// The chart of a variation: accuracy over its strength, a line for each network, and a cursor.

import { setAttributes, svgElement, svgText } from "../ui/dom.js";
import {
  bandPath,
  chartText,
  curveOf,
  HEIGHT,
  linePath,
  nearestStrength,
  WIDTH,
  xOf,
  yOf,
} from "./invariance-lines.js";
import { decimal } from "../ui/number-text.js";

/** @import { LineStyle } from "./invariance-lines.js" */
/** @import { InvarianceTable } from "../protocol/types.js" */

/** @typedef {(index: number) => void} Draw draws what belongs to the strength of this index */

/**
 * Create a piece of a network's line, for a legend.
 * @param {LineStyle} style
 */
export function createSwatch(style) {
  const swatch = svgElement("svg", {
    viewBox: "0 0 22 8",
    class: "stn-invariance-swatch",
    "aria-hidden": "true",
  });
  swatch.append(svgElement("path", { d: "M0 4H22", ...lineAttributes(style) }));
  return swatch;
}

/** @param {LineStyle} style */
const lineAttributes = ({ colour, dash }) => ({
  class: "stn-invariance-line",
  "data-line": colour,
  "data-dash": dash,
});

/**
 * @typedef {object} CellContent
 * @property {InvarianceTable} table
 * @property {string} name of the variation
 * @property {number[]} strengths
 * @property {LineStyle[]} styles of the networks
 * @property {(ImageBitmap | null)[]} pictures of the networks, as far as they are loaded
 */

/**
 * Create a chart.
 * @param {CellContent} content
 * @param {Draw[]} draws what draws its cursor is added
 * @param {Draw} show called with the strength under the pointer
 */
export function createChart({ table, name, strengths, styles }, draws, show) {
  const chart = svgElement("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: "stn-invariance-chart",
    role: "img",
    "aria-label": chartText(table, name),
  });
  chart.append(...createAxes(strengths));
  const dots = svgElement("g");
  const lines = table.networks.flatMap((network, index) => {
    const curve = curveOf(network, name);
    return curve ? [{ curve, style: styles[index] }] : [];
  });
  for (const { curve, style } of lines) {
    chart.append(
      svgElement("path", {
        d: bandPath(curve),
        class: "stn-invariance-band",
        "data-line": style.colour,
      }),
      svgElement("path", { d: linePath(curve), ...lineAttributes(style) }),
    );
  }
  const cursor = svgElement("line", {
    y1: yOf(1),
    y2: yOf(0),
    class: "stn-invariance-cursor",
  });
  chart.append(cursor, dots);
  draws.push((index) => {
    const x = xOf(strengths[index]);
    setAttributes(cursor, { x1: x, x2: x });
    dots.replaceChildren(
      ...lines.map(({ curve, style }) =>
        svgElement("circle", {
          cx: x,
          cy: yOf(curve.points[index].accuracy),
          r: 3,
          class: "stn-invariance-dot",
          "data-line": style.colour,
        })
      ),
    );
  });
  const follow = (/** @type {PointerEvent} */ event) => {
    const box = chart.getBoundingClientRect();
    show(nearestStrength((event.clientX - box.left) / box.width, strengths));
  };
  chart.addEventListener("pointermove", follow);
  chart.addEventListener("pointerdown", follow);
  return chart;
}

/** @param {number[]} strengths */
function createAxes(strengths) {
  const levels = [0, 0.5, 1].flatMap((value) => [
    svgElement("line", {
      x1: xOf(0),
      x2: xOf(1),
      y1: yOf(value),
      y2: yOf(value),
      class: "stn-invariance-axis",
    }),
    createTick(String(100 * value), xOf(0) - 4, yOf(value) + 3.5, "end"),
  ]);
  const ticks = strengths.map((strength) =>
    createTick(decimal(strength, 1), xOf(strength), HEIGHT - 5, "middle")
  );
  return [...levels, ...ticks];
}

/**
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {"middle" | "end"} anchor
 */
const createTick = (text, x, y, anchor) =>
  setAttributes(svgText(x, y, text, anchor), { class: "stn-invariance-tick" });
