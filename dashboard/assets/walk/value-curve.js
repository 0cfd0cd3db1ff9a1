// The sampled value over the point's place along one axis: continuous for bilinear samples, in steps for the
// nearest; with the tangent at the point.

import { sampleAt } from "../geometry/grid-sampler.js";
import { setAttributes, svgElement, svgText } from "../ui/dom.js";

/** @import { SampledImage, SamplingMode } from "../geometry/grid-sampler.js" */

const WIDTH = 600;
const HEIGHT = 190;
const TOP = 14;
const BASE = HEIGHT - 26;
const LARGEST = 255;
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
      "aria-label": "The value over the place of the point, with its slope",
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
    /** @param {number} place along the axis */
    const at = (place) => axis ? [point[0], place] : [place, point[1]];
    /** @param {number} place @param {SamplingMode} which */
    const valueAt = (place, which) => sampleAt(image, at(place)[0], at(place)[1], which).values[0];
    /** @param {number} place */
    const left = (place) => (WIDTH * (place - from)) / (to - from);
    MODES.forEach((each, index) => {
      const points = Array.from({ length: SAMPLES + 1 }, (_, number) => {
        const place = from + ((to - from) * number) / SAMPLES;
        return `${left(place).toFixed(1)},${down(valueAt(place, each)).toFixed(1)}`;
      });
      this.curves[index].setAttribute("d", `M${points.join("L")}`);
      this.curves[index].toggleAttribute("data-chosen", each === mode);
    });
    const place = point[axis];
    const { values: [value], slopes: [slopes] } = sampleAt(image, point[0], point[1], mode);
    /** @param {number} offset */
    const along = (offset) => `${left(place + offset)},${down(value + offset * slopes[axis])}`;
    this.tangent.setAttribute("d", `M${along(-TANGENT)}L${along(TANGENT)}`);
    this.cursor.setAttribute("d", `M${left(place)},${TOP}V${BASE}`);
    setAttributes(this.dot, { cx: left(place), cy: down(value) });
    const pixels = Array.from({ length: to - from }, (_, index) => from + index);
    const borders = pixels.map((pixel) => `M${left(pixel)},${TOP}V${BASE}`).join("");
    this.borders.setAttribute("d", `${borders}M0,${BASE}H${WIDTH}`);
    this.labels.replaceChildren(
      ...pixels.map((pixel) => svgText(left(pixel + 0.5), BASE + 19, String(pixel), "middle")),
      svgText(4, TOP + 8, "255", "start"),
      svgText(4, BASE - 5, "0", "start"),
    );
  }
}

/** @param {number} value */
const down = (value) => BASE - ((BASE - TOP) * value) / LARGEST;
