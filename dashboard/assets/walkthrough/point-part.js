// Where an output pixel looks: its line to its sampling point, and the numbers that lead there. The arrows of
// all other pixels are faint.

import { inputMargin } from "../geometry/input-margin.js";
import {
  MATRIX_2X3,
  pixelCentres,
  pixelCoordinate,
  toPixels,
  warpPoints,
} from "../geometry/theta-grid.js";
import { ImagePane } from "../stage/image-pane.js";
import { element, setAttributes, setText, svgElement } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";
import { matrix, variable } from "./equation.js";
import { drawOutput, RegionPane } from "./region-pane.js";
import { pixelQuery, readPixel } from "./theta-query.js";

/** @import { WalkthroughPicture } from "./walkthrough-picture.js" */

const DEFAULT_PIXEL = [3, 5];
/** @type {Object<string, [column: number, row: number]>} */
const PIXEL_OFFSETS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const ARROW_OPACITY = 0.09;

export class PointPart {
  /**
   * @param {WalkthroughPicture} picture
   * @param {() => void} onChange called after another pixel was chosen
   */
  constructor(picture, onChange) {
    this.picture = picture;
    this.onChange = onChange;
    this.input = new RegionPane((theta) => picture.setTheta(theta));
    this.output = new ImagePane("Output: point at a pixel, or choose one with the arrow keys");
    this.arrows = element("canvas.stn-grid-arrows");
    this.line = svgElement("path", { class: "stn-grid-line" });
    this.lineHalo = svgElement("path", { class: "stn-grid-line stn-grid-halo" });
    this.sampledPixel = svgElement("rect", { class: "stn-grid-sampled-pixel" });
    this.square = svgElement("rect", { class: "stn-grid-pixel" });
    this.point = svgElement("circle", { class: "stn-grid-point", r: 5.5 });
    this.svg = svgElement("svg", { class: "stn-grid-svg", "aria-hidden": "true" });
    this.svg.append(this.sampledPixel, this.lineHalo, this.line, this.square, this.point);
    this.stage = element(
      "div.stn-grid-stage",
      {},
      element("div.stn-walkthrough-pane", {}, this.input.element),
      element("div.stn-walkthrough-pane", {}, this.output.element),
      this.arrows,
      this.svg,
    );
    this.steps = new PixelSteps();
    this.element = element("div.stn-grid-point-part", {}, this.stage, this.steps.element);
    this.#listen();
    picture.addEventListener("change", () => this.#build());
    this.#build();
  }

  /** Column and row of the chosen output pixel. */
  get pixel() {
    return this.picture.pixel ?? DEFAULT_PIXEL;
  }

  #build() {
    const { picture } = this;
    const [rows, columns] = picture.outputSize;
    this.input.setInput(picture.input, picture.transformer);
    this.centres = pixelCentres(rows, columns);
  }

  #listen() {
    const { content } = this.output;
    content.tabIndex = 0;
    content.setAttribute("role", "application");
    content.setAttribute("aria-label", "Output: arrow keys choose a pixel");
    content.onpointermove = content.onpointerdown = (event) => {
      const { left, top, width, height } = content.getBoundingClientRect();
      const [rows, columns] = this.picture.outputSize;
      this.#choose([
        Math.floor(((event.clientX - left) / width) * columns),
        Math.floor(((event.clientY - top) / height) * rows),
      ]);
    };
    content.onkeydown = (event) => {
      const offset = PIXEL_OFFSETS[event.key];
      if (!offset) return;
      event.preventDefault();
      event.stopPropagation();
      this.#choose([this.pixel[0] + offset[0], this.pixel[1] + offset[1]]);
    };
  }

  /** @param {number[]} pixel column and row; beyond the edge, the nearest one */
  #choose(pixel) {
    if (this.picture.setPixel(pixel)) this.onChange();
  }

  query() {
    return pixelQuery(this.picture);
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const pixel = readPixel(query);
    if (pixel) this.#choose(pixel);
  }

  draw() {
    const { picture, pixel: [column, row] } = this;
    const { theta, input, outputSize: [rows, columns] } = picture;
    const size = input.shape.slice(0, 2);
    const points = warpPoints(MATRIX_2X3, theta, this.centres ?? []);
    this.input.draw(theta);
    drawOutput(this.output, picture, points);
    this.#drawLines(toPixels(points, size));
    const at = row * columns + column;
    this.steps.update({
      pixel: this.pixel,
      theta,
      outputSize: [rows, columns],
      inputSize: size,
      target: [pixelCoordinate(column, columns), pixelCoordinate(row, rows)],
      source: [points[2 * at], points[2 * at + 1]],
    });
  }

  /**
   * Draw the lines from output pixels to their sampling points.
   * @param {Float64Array} sampled in pixels of the input
   */
  #drawLines(sampled) {
    const { picture, pixel: [column, row] } = this;
    const [rows, columns] = picture.outputSize;
    const [height, width] = picture.input.shape;
    const stage = this.stage.getBoundingClientRect();
    const margin = inputMargin(height, width);
    const inputBox = boxWithin(this.input.pane.content, stage);
    const outputBox = boxWithin(this.output.content, stage);
    const scale = inputBox.width / (width + 2 * margin);
    /** @param {number} index of the output pixel */
    const source = (index) => [
      inputBox.left + scale * (sampled[2 * index] + margin),
      inputBox.top + scale * (sampled[2 * index + 1] + margin),
    ];
    const side = outputBox.width / columns;
    /** @param {number} index of the output pixel */
    const target = (index) => [
      outputBox.left + side * ((index % columns) + 0.5),
      outputBox.top + side * (Math.floor(index / columns) + 0.5),
    ];
    this.#drawArrows(rows * columns, source, target, { stage, hidden: outputBox });
    const at = row * columns + column;
    const [from, to] = [target(at), source(at)];
    const middle = (from[0] + to[0]) / 2;
    const path = `M${from}C${middle},${from[1]} ${middle},${to[1]} ${to}`;
    this.svg.setAttribute("viewBox", `0 0 ${stage.width} ${stage.height}`);
    for (const line of [this.line, this.lineHalo]) line.setAttribute("d", path);
    setAttributes(this.square, {
      x: from[0] - side / 2,
      y: from[1] - side / 2,
      width: side,
      height: side,
    });
    setAttributes(this.point, { cx: to[0], cy: to[1] });
    const [x, y] = [sampled[2 * at], sampled[2 * at + 1]];
    const isInside = x >= 0 && x < width && y >= 0 && y < height;
    setAttributes(this.sampledPixel, {
      x: inputBox.left + scale * (Math.floor(x) + margin),
      y: inputBox.top + scale * (Math.floor(y) + margin),
      width: isInside ? scale : 0,
      height: isInside ? scale : 0,
    });
  }

  /**
   * @param {number} count of output pixels
   * @param {(index: number) => number[]} source
   * @param {(index: number) => number[]} target
   * @param {{stage: DOMRect, hidden: Box}} boxes no arrow is drawn within the second
   */
  #drawArrows(count, source, target, { stage, hidden }) {
    const { arrows } = this;
    const density = devicePixelRatio;
    arrows.width = Math.round(stage.width * density);
    arrows.height = Math.round(stage.height * density);
    const context = arrows.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(this.line);
    context.scale(density, density);
    context.rect(0, 0, stage.width, stage.height);
    context.rect(hidden.left, hidden.top, hidden.width, hidden.height);
    context.clip("evenodd");
    context.strokeStyle = context.fillStyle = style.stroke;
    for (let index = 0; index < count; index++) {
      const [from, to] = [target(index), source(index)];
      const middle = (from[0] + to[0]) / 2;
      context.globalAlpha = ARROW_OPACITY;
      context.beginPath();
      context.moveTo(from[0], from[1]);
      context.bezierCurveTo(middle, from[1], middle, to[1], to[0], to[1]);
      context.stroke();
      context.globalAlpha = 0.55;
      context.fillRect(to[0] - 0.75, to[1] - 0.75, 1.5, 1.5);
    }
  }
}

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/**
 * What is computed for one output pixel.
 * @typedef {object} PixelNumbers
 * @property {number[]} pixel column and row
 * @property {number[]} theta
 * @property {number[]} outputSize height and width
 * @property {number[]} inputSize height and width
 * @property {number[]} target the pixel's normalised coordinates x, y
 * @property {number[]} source those of its sampling point
 */

/** The computation in three steps: normalise, multiply by theta, convert to pixels. */
class PixelSteps {
  constructor() {
    /** @param {number} count */
    const cells = (count) => Array.from({ length: count }, () => element("span"));
    this.pixelName = element("strong");
    this.normalised = cells(2);
    this.theta = cells(6);
    this.target = cells(2);
    this.source = cells(2);
    this.products = cells(2);
    this.inPixels = cells(2);
    this.sentence = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    this.element = element(
      "ol.stn-grid-steps",
      {},
      this.#step("Its own coordinates, from −1 to 1 over the output", [
        element("div.stn-equation", {}, variable("x", "t"), "=", this.normalised[0]),
        element("div.stn-equation", {}, variable("y", "t"), "=", this.normalised[1]),
      ], this.pixelName),
      this.#step("Multiplied by θ: its sampling point", [
        element(
          "div.stn-equation",
          {},
          matrix([[this.source[0]], [this.source[1]]]),
          "=",
          matrix([this.theta.slice(0, 3), this.theta.slice(3)]),
          matrix([[this.target[0]], [this.target[1]], ["1"]]),
        ),
        element("div.stn-grid-products", {}, ...this.products),
      ]),
      this.#step("In pixels of the input, from its left and upper edge", [
        element("div.stn-equation", {}, this.inPixels[0]),
        element("div.stn-equation", {}, this.inPixels[1]),
        this.sentence,
      ]),
    );
  }

  /**
   * @param {string} title
   * @param {HTMLElement[]} content
   * @param {HTMLElement} [name]
   */
  #step(title, content, name) {
    const heading = element("p.stn-grid-step-title", {}, ...(name ? [name, " "] : []), title);
    return element("li.stn-grid-step", {}, heading, ...content);
  }

  /** @param {PixelNumbers} numbers */
  update({ pixel, theta, outputSize, inputSize, target, source }) {
    const [rows, columns] = outputSize;
    const [height, width] = inputSize;
    setText(
      this.pixelName,
      `Output pixel (${pixel.join(", ")}): column ${pixel[0]}, row ${pixel[1]}.`,
    );
    [columns, rows].forEach((count, axis) => {
      const formula = `(2 · ${pixel[axis]} + 1) / ${count} − 1`;
      setText(this.normalised[axis], `${formula} = ${number(target[axis])}`);
      setText(this.target[axis], number(target[axis]));
      setText(this.source[axis], number(source[axis]));
      const [a, b, c] = theta.slice(3 * axis, 3 * axis + 3).map(number);
      const sum = `${a} · ${bracketed(target[0])} + ${bracketed(b)} · ${bracketed(target[1])} + `;
      setText(this.products[axis], `${sum}${bracketed(c)} = ${number(source[axis])}`);
    });
    theta.forEach((value, index) => setText(this.theta[index], number(value)));
    const inPixels = [width, height].map((size, axis) => ((source[axis] + 1) / 2) * size);
    [width, height].forEach((size, axis) => {
      const formula = `(${number(source[axis])} + 1) / 2 · ${size}`;
      setText(
        this.inPixels[axis],
        `${axis ? "y" : "x"}: ${formula} = ${decimal(inPixels[axis], 2)}`,
      );
    });
    setText(this.sentence, samplingSentence(pixel, inPixels, [width, height]));
  }
}

/**
 * Describe where an output pixel samples the input.
 * @param {number[]} pixel
 * @param {number[]} point x and y in pixels
 * @param {number[]} sides width and height
 */
function samplingSentence(pixel, point, sides) {
  const isInside = point.every((value, axis) => value >= 0 && value <= sides[axis]);
  const name = `Output pixel (${pixel.join(", ")})`;
  if (!isInside) return `${name} samples outside the input, where everything is 0.`;
  const [column, row] = point.map((value, axis) => clamp(Math.floor(value), sides[axis]));
  return `${name} samples in input pixel (${column}, ${row}).`;
}

/** @param {number} value */
const number = (value) => decimal(value, 3);
/** @param {number | string} value */
const bracketed = (value) => {
  const text = typeof value === "string" ? value : number(value);
  return text.startsWith("\u2212") ? `(${text})` : text;
};

/**
 * @param {Element} target
 * @param {DOMRect} stage
 */
function boxWithin(target, stage) {
  const { left, top, width, height } = target.getBoundingClientRect();
  return { left: left - stage.left, top: top - stage.top, width, height };
}

/**
 * @param {number} index
 * @param {number} size
 */
const clamp = (index, size) => Math.min(size - 1, Math.max(0, index));
