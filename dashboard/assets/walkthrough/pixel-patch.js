// A few pixels of the input, enlarged, with their values; and a point among them that can be moved. The unit
// square about the point covers of each pixel the area that is its bilinear weight.

import { keyOffset } from "../geometry/region-drag.js";
import { element, setAttributes, svgElement } from "../ui/dom.js";

/** @import { Sample, SampledImage, SamplingMode } from "../geometry/grid-sampler.js" */

/** Pixels along a side. */
const SIDE = 6;
// The point is kept at this distance from the patch's edge, in pixels.
const INSET = 1;
// Grey level up to which white text has a contrast of 4.5, and above which black text has.
const DARK = 117;
// Pixels that an arrow key moves the point.
const KEY_STEP = 0.05;

export class PixelPatch {
  /** @param {(point: number[]) => void} onPoint called with a point in pixels of the input */
  constructor(onPoint) {
    this.onPoint = onPoint;
    /** @type {[column: number, row: number] | null} */
    this.origin = null; // the first pixel that is shown
    this.point = [0, 0];
    this.cells = Array.from({ length: SIDE * SIDE }, (_, index) => new Cell(index));
    this.shares = [1, 2, 3, 4].map((number) =>
      svgElement("rect", { class: "stn-patch-share", "data-share": number })
    );
    this.square = svgElement("rect", { class: "stn-patch-square", width: 1, height: 1 });
    const svg = svgElement("svg", {
      class: "stn-patch-drawing",
      viewBox: `0 0 ${SIDE} ${SIDE}`,
      "aria-hidden": "true",
    });
    svg.append(
      ...this.cells.map((cell) => cell.element),
      ...this.shares,
      this.square,
      ...this.cells.map((cell) => cell.text),
    );
    this.handle = element("button.stn-handle.stn-patch-handle", {
      type: "button",
      aria: { label: "Sampling point: arrow keys move it by a twentieth of a pixel" },
    });
    this.area = element("div.stn-patch", {}, svg, this.handle);
    this.element = element(
      "figure.stn-image-pane",
      {},
      this.area,
      element("figcaption", {}, "Input, enlarged, values from 0 to 255: drag the point"),
    );
    this.#listen();
  }

  #listen() {
    const { area, handle } = this;
    area.onpointerdown = (event) => {
      if (event.button !== 0) return;
      area.setPointerCapture(event.pointerId);
      this.#moveTo(event);
    };
    area.onpointermove = (event) => area.hasPointerCapture(event.pointerId) && this.#moveTo(event);
    handle.onkeydown = (event) => {
      const offset = keyOffset(event);
      if (!offset) return;
      event.preventDefault();
      event.stopPropagation();
      this.onPoint(this.point.map((value, axis) => value + KEY_STEP * offset[axis]));
    };
  }

  /** @param {PointerEvent} event */
  #moveTo({ clientX, clientY }) {
    const { left, top, width, height } = this.area.getBoundingClientRect();
    const [column, row] = this.origin ?? [0, 0];
    this.onPoint([
      column + clampToPatch(((clientX - left) / width) * SIDE),
      row + clampToPatch(((clientY - top) / height) * SIDE),
    ]);
  }

  /**
   * Return what is shown along an axis, in pixels of the input.
   * @param {number} axis 0 for x, 1 for y
   * @returns {[from: number, to: number]}
   */
  range(axis) {
    const from = this.origin?.[axis] ?? 0;
    return [from, from + SIDE];
  }

  /**
   * @param {SampledImage} image
   * @param {number[]} point in pixels of the input
   * @param {Sample} sample at the point
   * @param {SamplingMode} mode
   */
  draw(image, point, sample, mode) {
    this.point = point;
    this.origin = this.#originFor(point);
    const [x, y] = point.map((value, axis) => value - this.range(axis)[0]);
    for (const cell of this.cells) cell.draw(image, this.origin);
    setAttributes(this.square, { x: x - 0.5, y: y - 0.5 });
    this.square.toggleAttribute("hidden", mode === "nearest");
    this.shares.forEach((share, index) => {
      const neighbour = sample.neighbours[index];
      share.toggleAttribute("hidden", !neighbour);
      if (neighbour) setAttributes(share, shareBox(neighbour, [x, y], this.origin ?? [0, 0], mode));
    });
    this.handle.style.setProperty("--stn-x", `${(100 * x) / SIDE}%`);
    this.handle.style.setProperty("--stn-y", `${(100 * y) / SIDE}%`);
  }

  /**
   * Return the first pixel to be shown: the present one, unless the point would leave the patch.
   * @param {number[]} point
   * @returns {[number, number]}
   */
  #originFor(point) {
    const [column, row] = point.map((value, axis) => {
      const from = this.origin?.[axis] ?? Math.floor(value) - SIDE / 2 + 1;
      const offset = value - from;
      const rounding = 1e-9;
      if (offset < INSET - rounding) return Math.floor(value - INSET);
      return offset > SIDE - INSET + rounding ? Math.ceil(value + INSET) - SIDE : from;
    });
    return [column, row];
  }
}

/** One pixel with its value. */
class Cell {
  /** @param {number} index within the patch */
  constructor(index) {
    this.position = [index % SIDE, Math.floor(index / SIDE)];
    const [x, y] = this.position;
    this.element = svgElement("rect", { class: "stn-patch-cell", x, y, width: 1, height: 1 });
    this.text = svgElement("text", { class: "stn-patch-value", x: x + 0.5, y: y + 0.84 });
  }

  /**
   * @param {SampledImage} image
   * @param {[number, number]} origin
   */
  draw({ data, shape: [height, width, channels] }, origin) {
    const [column, row] = this.position.map((each, axis) => each + origin[axis]);
    const isInside = column >= 0 && column < width && row >= 0 && row < height;
    const value = isInside ? data[(row * width + column) * channels] : 0;
    this.element.setAttribute("fill", `rgb(${value}, ${value}, ${value})`);
    this.element.toggleAttribute("data-outside", !isInside);
    this.text.setAttribute("fill", value > DARK ? "#000" : "#fff");
    this.text.textContent = String(value);
  }
}

/**
 * Return what a pixel has of the unit square about a point; of a nearest sample, the whole pixel.
 * @param {{column: number, row: number}} pixel
 * @param {number[]} point within the patch
 * @param {number[]} origin
 * @param {SamplingMode} mode
 */
function shareBox({ column, row }, [x, y], origin, mode) {
  const [left, top] = [column - origin[0], row - origin[1]];
  if (mode === "nearest") return { x: left, y: top, width: 1, height: 1 };
  const [from, above] = [Math.max(left, x - 0.5), Math.max(top, y - 0.5)];
  return {
    x: from,
    y: above,
    width: Math.max(0, Math.min(left + 1, x + 0.5) - from),
    height: Math.max(0, Math.min(top + 1, y + 0.5) - above),
  };
}

/** @param {number} position */
const clampToPatch = (position) => Math.min(SIDE - 0.5, Math.max(0.5, position));
