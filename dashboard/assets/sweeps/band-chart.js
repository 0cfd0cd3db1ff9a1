// A chart of a sweep: for each combination a line of means over epochs, in the band of its seeds.

import { bandPath, extentOf, HEIGHT, meanPath, WIDTH, xOf, yOf } from "./band-lines.js";
import { element, svgElement, svgText } from "../ui/dom.js";

/** @import { SweepCurve } from "../protocol/types.js" */

/**
 * A combination in a chart.
 * @typedef {object} ChartLine
 * @property {SweepCurve} curve
 * @property {number} style of the line, from 1 on; 0 for one in the background
 * @property {boolean} isPointed whether the pointer is on its row
 * @property {string} title
 */

export class BandChart {
  /**
   * @param {string} title
   * @param {(value: number) => string} text of a value
   * @param {boolean} isFromZero whether the lower edge is 0
   */
  constructor(title, text, isFromZero) {
    this.isFromZero = isFromZero;
    this.title = title;
    this.text = text;
    this.chart = svgElement("svg", {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      class: "stn-bands",
      role: "img",
    });
    const caption = element("figcaption.stn-bands-title", {}, title);
    this.element = element("figure.stn-bands-figure", {}, caption, this.chart);
  }

  /**
   * @param {ChartLine[]} lines
   * @param {number} epochs of the longest run
   */
  draw(lines, epochs) {
    const drawn = lines.filter(({ curve }) => curve.epoch.length);
    const extent = extentOf(drawn.map(({ curve }) => curve), epochs, this.isFromZero);
    const rank = (/** @type {ChartLine} */ { style, isPointed }) =>
      isPointed ? 2 : Number(style > 0);
    // What matters more is drawn over the rest.
    const ordered = [...drawn].sort((one, other) => rank(one) - rank(other));
    this.chart.setAttribute("aria-label", this.#describe(drawn));
    this.chart.replaceChildren(
      ...this.#axes(extent),
      ...ordered.flatMap((line) => {
        const { curve, style, isPointed } = line;
        const data = { "data-line": style, "data-pointed": String(isPointed) };
        const mean = svgElement("path", {
          d: meanPath(extent, curve),
          class: "stn-bands-mean",
          ...data,
        });
        if (!style && !isPointed) return [mean];
        const d = bandPath(extent, curve);
        return [svgElement("path", { d, class: "stn-bands-range", ...data }), mean];
      }),
    );
  }

  /** @param {import("./band-lines.js").Extent} extent */
  #axes(extent) {
    const levels = extent.levels.flatMap((value) => {
      const y = yOf(extent, value);
      const label = svgText(xOf(extent, 0) - 5, y + 3.5, this.text(value), "end");
      label.setAttribute("class", "stn-bands-tick");
      return [
        svgElement("line", {
          x1: xOf(extent, 0),
          x2: xOf(extent, extent.epochs),
          y1: y,
          y2: y,
          class: "stn-bands-axis",
        }),
        label,
      ];
    });
    const marks = extent.marks.map((epoch) => {
      const label = svgText(xOf(extent, epoch), HEIGHT - 17, String(epoch), "middle");
      label.setAttribute("class", "stn-bands-tick");
      return label;
    });
    const axis = svgText(xOf(extent, extent.epochs), HEIGHT - 4, "epochs", "end");
    axis.setAttribute("class", "stn-bands-tick");
    return [...levels, ...marks, axis];
  }

  /** @param {ChartLine[]} lines */
  #describe(lines) {
    const shown = lines.filter(({ style }) => style).map(({ title, curve }) =>
      `${title}: ${this.text(curve.mean.at(-1) ?? 0)}`
    );
    return `${this.title} over epochs, at the end ${shown.join("; ") || "not known yet"}.`;
  }
}
