// The sampled value over the point's position along one axis: continuous for bilinear samples, in steps for the
// nearest; with the tangent at the point.

import { sampleAt } from "../geometry/grid-sampler.js";
import { setAttributes, svgElement, svgText } from "../ui/dom.js";

/** @import { SampledImage, SamplingMode } from "../geometry/grid-sampler.js" */

const WIDTH = 600;
const HEIGHT = 190;
const TOP = 14;
const BASELINE = HEIGHT - 26;
const MAX_LEVEL = 255;
const SAMPLES = 480;
// Half the tangent's length, in pixels of the input.
const TANGENT = 0.8;
/** @type {SamplingMode[]} */
const MODES = ["nearest", "bilinear"];

export class ValueCurve {
  constructor() {
    this.curves = MODES.map((mode) =>
      svgElement("path", { class: "stn-curve", "data-mode": mode })
    );
    this.tangent = svgElement("path", { class: "stn-curve-tangent" });
    this.cursor = svgElement("path", { class: "stn-curve-cursor" });
    this.dot = svgElement("circle", { class: "stn-curve-dot", r: 6 });
    this.borders = svgElement("path", { class: "stn-curve-borders" });
    this.labels = svgElement("g", { class: "stn-curve-labels" });
    this.element = svgElement("svg", {
      class: "stn-curve-drawing",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": "The value over the position of the point, with its slope",
    });
    this.element.append(
      this.borders,
      this.labels,
      this.cursor,
      ...this.curves,
      this.tangent,
      this.dot,
    );
  }

  /**
   * @param {SampledImage} image
   * @param {number[]} point in pixels
   * @param {{mode: SamplingMode, axis: number, range: [number, number]}} options the axis, and what of it is shown
   */
  draw(image, point, { mode, axis, range: [from, to] }) {
    /** @param {number} position along the axis */
    const at = (position) => axis ? [point[0], position] : [position, point[1]];
    /** @param {number} position @param {SamplingMode} which */
    const valueAt = (position, which) =>
      sampleAt(image, at(position)[0], at(position)[1], which).values[0];
    /** @param {number} position */
    const left = (position) => (WIDTH * (position - from)) / (to - from);
    MODES.forEach((each, index) => {
      const points = Array.from({ length: SAMPLES + 1 }, (_, number) => {
        const position = from + ((to - from) * number) / SAMPLES;
        return `${left(position).toFixed(1)},${down(valueAt(position, each)).toFixed(1)}`;
      });
      this.curves[index].setAttribute("d", `M${points.join("L")}`);
      this.curves[index].toggleAttribute("data-chosen", each === mode);
    });
    const position = point[axis];
    const { values: [value], slopes: [slopes] } = sampleAt(image, point[0], point[1], mode);
    /** @param {number} offset */
    const along = (offset) => `${left(position + offset)},${down(value + offset * slopes[axis])}`;
    this.tangent.setAttribute("d", `M${along(-TANGENT)}L${along(TANGENT)}`);
    this.cursor.setAttribute("d", `M${left(position)},${TOP}V${BASELINE}`);
    setAttributes(this.dot, { cx: left(position), cy: down(value) });
    const pixels = Array.from({ length: to - from }, (_, index) => from + index);
    const borders = pixels.map((pixel) => `M${left(pixel)},${TOP}V${BASELINE}`).join("");
    this.borders.setAttribute("d", `${borders}M0,${BASELINE}H${WIDTH}`);
    this.labels.replaceChildren(
      ...pixels.map((pixel) => svgText(left(pixel + 0.5), BASELINE + 19, String(pixel), "middle")),
      svgText(4, TOP + 8, "255", "start"),
      svgText(4, BASELINE - 5, "0", "start"),
    );
  }
}

/** @param {number} value */
const down = (value) => BASELINE - ((BASELINE - TOP) * value) / MAX_LEVEL;
