// Lines over a variation of the picture, with a cursor at the present one.

import { svgElement, svgText } from "../ui/dom.js";

// Of the drawing, in its own units.
const WIDTH = 720;
const HEIGHT = 160;
const MARGIN = { left: 58, right: 14, top: 10, bottom: 26 };

/**
 * @typedef {object} PlotAxis
 * @property {[number, number]} range
 * @property {[value: number, text: string][]} ticks
 */

/** @typedef {[x: number, y: number][]} PlotLine */

export class RangePlot {
  /**
   * @param {PlotAxis} across
   * @param {PlotAxis} up
   */
  constructor(across, up) {
    this.across = across;
    this.up = up;
    this.cursor = svgElement("path", { class: "stn-curve-cursor" });
    this.lines = svgElement("g");
    this.element = svgElement("svg", {
      class: "stn-curve-drawing",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": "Nothing is measured yet",
    });
    this.element.append(this.#createAxes(), this.cursor, this.lines);
  }

  #createAxes() {
    const axes = svgElement("g", { class: "stn-curve-labels" });
    const { top, left, right, bottom } = MARGIN;
    for (const [value, text] of this.up.ticks) {
      const y = this.#y(value);
      const line = { class: "stn-curve-borders", d: `M${left},${y}H${WIDTH - right}` };
      axes.append(svgElement("path", line), svgText(left - 8, y + 5, text, "end"));
    }
    const [from, to] = this.across.range;
    for (const [value, text] of this.across.ticks) {
      const x = this.#x(value);
      const line = { class: "stn-curve-borders", d: `M${x},${top}V${HEIGHT - bottom}` };
      const anchor = value === from ? "start" : value === to ? "end" : "middle";
      axes.append(svgElement("path", line), svgText(x, HEIGHT - 6, text, anchor));
    }
    return axes;
  }

  /** @param {number} value */
  #x(value) {
    const [from, to] = this.across.range;
    return MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * (value - from)) / (to - from);
  }

  /** @param {number} value */
  #y(value) {
    const [from, to] = this.up.range;
    const share = (value - from) / (to - from);
    return HEIGHT - MARGIN.bottom - (HEIGHT - MARGIN.top - MARGIN.bottom) * share;
  }

  /**
   * @param {PlotLine[]} lines each of points in the order of x
   * @param {number} at where the cursor is
   * @param {string} text what is drawn, in words
   */
  draw(lines, at, text) {
    this.cursor.setAttribute("d", `M${this.#x(at)},${MARGIN.top}V${HEIGHT - MARGIN.bottom}`);
    const drawn = lines.flatMap((points, index) => {
      const series = { "data-series": String(index + 1) };
      const d = points.map(([x, y]) => `${this.#x(x).toFixed(1)},${this.#y(y).toFixed(1)}`);
      const path = svgElement("path", {
        class: "stn-plot-line",
        d: d.length ? `M${d.join("L")}` : "",
        ...series,
      });
      const here = points.find(([x]) => x === at);
      if (!here) return [path];
      const [cx, cy] = [this.#x(here[0]), this.#y(here[1])];
      return [path, svgElement("circle", { class: "stn-plot-dot", cx, cy, r: 6, ...series })];
    });
    this.lines.replaceChildren(...drawn);
    this.element.setAttribute("aria-label", text);
  }
}
