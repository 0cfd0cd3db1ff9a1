// Differentiable sampling: the four neighbours of a point, their weights as areas, the sum in numbers, and how
// the value changes as the point moves.

import { pixelsPerUnit, sampleAt } from "../geometry/grid-sampler.js";
import { MATRIX_2X3, pixelCentres, toPixels, warpPoints } from "../geometry/theta-grid.js";
import { element, setText } from "../ui/dom.js";
import { NextFrame } from "../ui/next-frame.js";
import { decimal } from "../ui/number-text.js";
import { PatchLocator } from "./patch-locator.js";
import { PixelPatch } from "./pixel-patch.js";
import { SampleSum } from "./sample-sum.js";
import { pixelQuery, readPixel, readTheta, thetaQuery } from "./theta-query.js";
import { ValueCurve } from "./value-curve.js";

/** @import { SampledImage, SamplingMode } from "../geometry/grid-sampler.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

/** @type {SamplingMode[]} */
const MODES = ["bilinear", "nearest"];
const AXES = ["x", "y"];
const DECIMALS = 3;
// Minimum weight of each neighbour of the first point.
const MIN_WEIGHT = 0.08;

export class SamplingFigure {
  /** @param {WalkthroughContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.drawing = new NextFrame(() => this.#drawNow());
    /** @type {number[] | null} */
    this.chosen = null; // the point, in pixels of the input
    /** @type {number[] | null} */
    this.start = null; // the point that is shown before one is chosen: the sampling point of `pixel`
    /** @type {number[]} */
    this.pixel = []; // column and row of the output
    /** @type {number[] | null} */
    this.carried = null; // the output pixel that was chosen in the grid's figure when this one was last shown
    this.mode = MODES[0];
    this.axis = 0; // along which the curve is drawn
    this.patch = new PixelPatch((point) => this.#set({ chosen: point }));
    this.locator = new PatchLocator((point) => this.#set({ chosen: point }));
    this.curve = new ValueCurve();
    this.sum = new SampleSum();
    this.slope = element("p.stn-walkthrough-sentence.stn-sampling-slope", {
      aria: { live: "polite" },
    });
    this.position = element("p.stn-walkthrough-sentence.stn-sampling-sentence", {
      aria: { live: "polite" },
    });
    this.modes = MODES.map((mode) => this.#chip(mode, () => this.#set({ mode })));
    this.axes = AXES.map((name, axis) => this.#chip(`along ${name}`, () => this.#set({ axis })));
    this.element = element(
      "div.stn-sampling-figure",
      {},
      element(
        "div.stn-sampling-left",
        {},
        this.patch.element,
        this.curve.element,
      ),
      element(
        "div.stn-sampling-right",
        {},
        element(
          "div.stn-sampling-choices",
          {},
          segments("Interpolation", this.modes),
          segments("Axis of the curve", this.axes),
        ),
        this.position,
        this.sum.element,
        this.slope,
        this.locator.element,
      ),
    );
    picture.addEventListener("change", () => this.#set({ chosen: null, start: null }));
  }

  /**
   * @param {string} title
   * @param {() => void} onclick
   */
  #chip(title, onclick) {
    return element("button.stn-chip", { type: "button", onclick }, title);
  }

  /** @param {Partial<Pick<SamplingFigure, "chosen" | "start" | "mode" | "axis">>} state */
  #set(state) {
    Object.assign(this, state);
    this.#draw();
    if (this.isShown) this.changed();
  }

  show() {
    this.isShown = true;
    this.start = null; // theta may have changed
    const { pixel } = this.picture;
    // A pixel that was chosen since replaces the point.
    if (String(pixel) !== String(this.carried)) this.chosen = null;
    this.carried = pixel;
    this.#drawNow();
  }

  hide() {
    this.isShown = false;
  }

  query() {
    const { chosen, picture } = this;
    return /** @type {Record<string, string>} */ ({
      ...(chosen
        ? { point: chosen.map((each) => String(Number(each.toFixed(DECIMALS)))).join() }
        : { ...thetaQuery(picture), ...pixelQuery(picture) }),
      ...(this.mode === MODES[0] ? {} : { mode: this.mode }),
      ...(this.axis ? { along: AXES[this.axis] } : {}),
    });
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const [theta, pixel] = [readTheta(query), readPixel(query)];
    if (theta) this.picture.setTheta(theta);
    if (pixel) this.picture.setPixel(pixel);
    this.carried = this.picture.pixel;
    const point = (query.get("point") ?? "").split(",").filter(Boolean).map(Number);
    const axis = AXES.indexOf(query.get("along") ?? "");
    this.#set({
      mode: MODES.find((mode) => mode === query.get("mode")) ?? this.mode,
      axis: axis < 0 ? this.axis : axis,
      chosen: point.length === 2 && point.every(Number.isFinite)
        ? point
        : pixel
        ? null
        : this.chosen,
      start: null,
    });
  }

  #draw() {
    if (this.isShown) this.drawing.request();
  }

  #drawNow() {
    const { picture, mode, axis } = this;
    const { input } = picture;
    const [height, width] = input.shape;
    const [x, y] = this.chosen ?? (this.start ??= this.#startPoint());
    const sample = sampleAt(input, x, y, mode);
    this.patch.draw(input, [x, y], sample, mode);
    this.locator.draw(input, [this.patch.range(0), this.patch.range(1)]);
    this.curve.draw(input, [x, y], { mode, axis, range: this.patch.range(axis) });
    this.sum.draw(input, sample, mode);
    mark(this.modes, MODES.indexOf(mode));
    mark(this.axes, axis);
    setText(this.position, this.#pointSentence([x, y]));
    const slope = sample.slopes[0][axis];
    setText(this.slope, slopeSentence(slope, AXES[axis], [width, height][axis], mode));
  }

  /**
   * Return the sampling point of the chosen output pixel; before one is chosen, of that whose value changes
   * most.
   */
  #startPoint() {
    const { input, theta, pixel, outputSize: [rows, columns] } = this.picture;
    const points = warpPoints(MATRIX_2X3, theta, pixelCentres(rows, columns));
    const sampled = toPixels(points, input.shape);
    const at = pixel ? pixel[1] * columns + pixel[0] : steepestPoint(input, sampled);
    this.pixel = [at % columns, Math.floor(at / columns)];
    return [sampled[2 * at], sampled[2 * at + 1]];
  }

  /**
   * Describe which output pixel samples at the point.
   * @param {number[]} point
   */
  #pointSentence(point) {
    const position = `(${point.map((each) => decimal(each, 2)).join(", ")})`;
    if (this.chosen) return `You moved the point to ${position}, in pixels of the input.`;
    const origin = this.picture.pixel ? "that of step 3" : "whose value changes most";
    return `Output pixel (${
      this.pixel.join(", ")
    }), ${origin}, samples at ${position}, in pixels of the input.`;
  }
}

/**
 * Return the index of the point at which the value changes most.
 * @param {SampledImage} input
 * @param {Float64Array} sampled in pixels
 */
function steepestPoint(input, sampled) {
  let [best, steepest] = [0, -1];
  for (let at = 0; at < sampled.length; at += 2) {
    const { slopes, neighbours } = sampleAt(input, sampled[at], sampled[at + 1]);
    // The slope at a point between four pixels, each with a weight.
    const least = Math.min(...neighbours.map(({ weight }) => weight));
    const steepness = Math.hypot(...slopes[0]) * (least > MIN_WEIGHT ? 1 : 0);
    if (steepness > steepest) [best, steepest] = [at / 2, steepness];
  }
  return best;
}

/**
 * @param {number} slope per pixel
 * @param {string} axis
 * @param {number} size number of pixels along the axis
 * @param {SamplingMode} mode
 */
function slopeSentence(slope, axis, size, mode) {
  if (mode === "nearest") {
    return "The nearest pixel alone: the value jumps at the border between two pixels, and its slope is 0 " +
      "everywhere else. No gradient would reach θ.";
  }
  const factor = pixelsPerUnit(size);
  return `The slope along ${axis} is ${
    decimal(slope, 1)
  } per pixel. The grid's coordinate goes from −1 to 1 ` +
    `over ${size} pixels, so ∂V/∂${axis} = ${decimal(slope, 1)} · ${size}/2 = ${
      decimal(slope * factor, 0)
    }. Times the loss's gradient at this pixel, it is passed back to the grid, and on to θ.`;
}

/**
 * @param {string} label
 * @param {HTMLElement[]} chips
 */
const segments = (label, chips) =>
  element("div.stn-segments", { role: "group", aria: { label } }, ...chips);

/**
 * @param {HTMLElement[]} chips
 * @param {number} pressed index of the chosen one
 */
function mark(chips, pressed) {
  chips.forEach((chip, index) => chip.setAttribute("aria-pressed", String(index === pressed)));
}
