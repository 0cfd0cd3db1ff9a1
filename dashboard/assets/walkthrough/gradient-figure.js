// The gradient of the grid: which way the loss of a class pushes each sampling point, what that adds up to on
// theta, and steps along it.

import { MATRIX_2X3, pixelCentres, toPixels, warpPoints } from "../geometry/theta-grid.js";
import { rowOf } from "../protocol/frame.js";
import { ClassBars } from "../stage/class-bars.js";
import { ImagePane } from "../stage/image-pane.js";
import { element, setText } from "../ui/dom.js";
import { tabLink } from "../ui/tab-link.js";
import { prefersReducedMotion } from "../ui/reduced-motion.js";
import { TimedChange } from "../ui/timed-change.js";
import { decimal } from "../ui/number-text.js";
import { matrix, variable } from "./equation.js";
import { GradientArrows } from "./gradient-arrows.js";
import { LossCurve } from "./loss-curve.js";
import { drawOutput, RegionPane } from "./region-pane.js";
import { readTheta, thetaQuery } from "./theta-query.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

// A region beside the digit, and one outside the image.
const START = [0.8, 0, 0, 0, 0.8, 0];
const OUTSIDE = [0.4, 0, 1.6, 0, 0.4, -1.6];
const MANY_STEPS = 20;
/** @type {[rate: number, title: string][]} */
const RATES = [[0.005, "small"], [0.02, "medium"], [0.2, "too large"]];
const MAX_CLASSES = 4;
// Interval between drawings of several steps.
const STEP_MILLISECONDS = 70;
const ANSWER_MILLISECONDS = 1600;

const NO_GRADIENT =
  "No arrow: the region samples only the black padding, whose value does not change " +
  "when it moves. So there is no gradient, and a region outside the image cannot return.";
const HELP =
  "Training takes such steps on the weights that make θ, for all images at once. Too large a rate " +
  "throws regions out of the image: they collapse. A small rate for the localisation network, and a start at " +
  "the identity, keep them in it; ";

/** @type {(index: string) => (...last: string[]) => (string | Node)[]} coordinates, with names as in the paper */
const coordinates = (index) => (...last) => [
  "(",
  variable("x", index),
  ", ",
  variable("y", index),
  ...last.map((each) => `, ${each}`),
  ")",
];
const SOURCE = coordinates("s"); // of a sampling point, in the input
const TARGET = coordinates("t"); // of a pixel, in the output

export class GradientFigure {
  /** @param {WalkthroughContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    /** @type {number[] | null} */
    this.chosenTheta = null;
    this.label = 0; // the class whose loss it is
    this.rate = RATES[1][0];
    /** @type {number[]} */
    this.losses = [];
    this.requested = 0; // counts requests, of which the newest is drawn
    this.answer = new TimedChange();
    this.input = new RegionPane((theta) => this.#choose(theta));
    this.arrows = new GradientArrows();
    const { pane, overlay, handles } = this.input;
    pane.setOverlays(overlay.element, this.arrows.element, handles.element);
    this.output = new ImagePane("Output");
    this.classes = new ClassBars();
    this.select = element("select.stn-entry", { aria: { label: "Class" } });
    this.select.onchange = () => this.#setClass(Number(this.select.value));
    this.gradient = element("div.stn-equation", {
      role: "group",
      aria: { label: "Gradient of θ" },
    });
    this.loss = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    this.sentence = element("p.stn-walkthrough-sentence.stn-gradient-sentence");
    this.curve = new LossCurve();
    this.rates = RATES.map(([rate, title]) => {
      const button = element("button.stn-chip", { type: "button" }, `${rate}, ${title}`);
      button.onclick = () => this.#setRate(rate);
      return button;
    });
    this.element = this.#layOut();
    picture.addEventListener("change", () => this.#build());
    this.#build();
  }

  #layOut() {
    /** @type {(title: string, onclick: () => void, primary?: boolean) => HTMLButtonElement} */
    const button = (title, onclick, primary = false) =>
      element(
        `button.stn-button${primary ? ".stn-primary" : ""}`,
        { type: "button", onclick },
        title,
      );
    const rates = element("span.stn-segments", { role: "group" }, ...this.rates);
    rates.setAttribute("aria-label", "Rate");
    return element(
      "div.stn-gradient-figure",
      {},
      element("div.stn-walkthrough-pane", {}, this.input.element, this.sentence),
      element(
        "div.stn-walkthrough-middle",
        {},
        element("label.stn-gradient-class", {}, "Loss L of class ", this.select),
        this.loss,
        this.gradient,
        element("div.stn-walkthrough-chips", {}, "Rate ", rates),
        element(
          "div.stn-walkthrough-chips",
          {},
          button("One step", () => this.#step(1), true),
          button("Twenty steps", () => this.#step(MANY_STEPS)),
          button("Reset", () => this.#choose(START)),
          button("Move the region outside", () => this.#choose(OUTSIDE)),
        ),
        this.curve.element,
      ),
      element("div.stn-walkthrough-pane", {}, this.output.element, this.classes.element),
      element(
        "p.stn-gradient-help",
        {},
        HELP,
        tabLink("new", "Collapse, and how to prevent it"),
        " is a preset that shows both.",
      ),
    );
  }

  get #theta() {
    return this.chosenTheta ?? START;
  }

  #build() {
    const { picture } = this;
    const { classes, predicted } = picture.frame.info;
    this.input.setInput(picture.input, picture.transformer);
    this.arrows.fit(this.input.size);
    this.centres = pixelCentres(picture.outputSize[0], picture.outputSize[1]);
    this.select.replaceChildren(...classes.map((name, index) => new Option(name, String(index))));
    this.chosenTheta = null;
    this.#setClass(Number(predicted[0]), false);
    this.#setRate(this.rate);
    if (this.isShown) this.#update();
  }

  show() {
    this.isShown = true;
    return this.#update();
  }

  hide() {
    this.isShown = false;
    this.requested += 1;
    this.answer.stop();
  }

  /** Move the region out of the image, and take steps there: nothing moves. */
  async playAnswer() {
    this.requested += 1; // nothing that was requested before is drawn any more
    this.arrows.clear();
    const isOutside = await this.answer.run(
      ANSWER_MILLISECONDS,
      (share) => this.#drawRegion(START.map((each, at) => each + share * (OUTSIDE[at] - each))),
    );
    if (!isOutside) return;
    this.#choose(OUTSIDE);
    await this.#step(MANY_STEPS);
  }

  /** @returns {Record<string, string>} */
  query() {
    const isDefault = this.label === this.picture.frame.info.predicted[0];
    return {
      ...thetaQuery({ chosenTheta: this.chosenTheta }),
      ...(isDefault ? {} : { class: String(this.label) }),
    };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    this.chosenTheta = readTheta(query);
    const label = Number(query.get("class") ?? NaN);
    if (this.picture.frame.info.classes[label]) this.#setClass(label, false);
  }

  /** @param {number[]} theta */
  #choose(theta) {
    this.answer.stop();
    this.chosenTheta = theta === START ? null : theta;
    this.losses = [];
    this.#update();
    this.changed();
  }

  /** @param {number} label @param {boolean} isByHand */
  #setClass(label, isByHand = true) {
    this.label = label;
    this.select.value = String(label);
    this.losses = [];
    if (!isByHand) return;
    this.#update();
    this.changed();
  }

  /** @param {number} rate */
  #setRate(rate) {
    this.rate = rate;
    this.rates.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(RATES[index][0] === rate))
    );
  }

  /** Draw the region at once, and the arrows once the server has computed the gradient. */
  async #update() {
    const theta = this.#theta;
    const requested = ++this.requested;
    this.#drawRegion(theta);
    const frame = await this.#request({ theta, gradient: { class: this.label } });
    if (frame && requested === this.requested) this.#drawGradient(frame, theta);
  }

  /** @param {number} count */
  async #step(count) {
    const requested = ++this.requested;
    const steps = { class: this.label, count, rate: this.rate };
    const frame = await this.#request({ theta: this.#theta, steps });
    if (!frame || requested !== this.requested) return;
    const thetas = frame.tensors[`steps.theta.${this.picture.transformer.name}`];
    const losses = [...frame.tensors["steps.loss"].data];
    this.arrows.clear();
    const reducesMotion = prefersReducedMotion();
    for (let step = 1; step <= count; step++) {
      this.chosenTheta = [...rowOf(thetas, step)];
      this.losses = [...(this.losses.length ? this.losses : [losses[0]]), losses[step]];
      if (reducesMotion && step < count) continue;
      this.#drawRegion(this.chosenTheta);
      this.curve.draw(this.losses);
      await new Promise((done) => setTimeout(done, STEP_MILLISECONDS));
      if (requested !== this.requested) return;
    }
    this.#update();
    this.changed();
  }

  /**
   * @param {{theta: number[], gradient?: {class: number}, steps?: {class: number, count: number, rate: number}}} request
   * @returns {Promise<Frame | null>}
   */
  async #request({ theta, ...fields }) {
    const { picture } = this;
    try {
      const given = { [picture.transformer.name]: theta };
      return await picture.request(picture.weights, { theta: given, ...fields }, "gradient");
    } catch (problem) {
      setText(this.loss, /** @type {Error} */ (problem).message);
      return null;
    }
  }

  /** @param {number[]} theta */
  #drawRegion(theta) {
    this.input.draw(theta);
    drawOutput(this.output, this.picture, warpPoints(MATRIX_2X3, theta, this.centres ?? []));
  }

  /**
   * @param {Frame} frame
   * @param {number[]} theta
   */
  #drawGradient({ info, tensors }, theta) {
    const { name } = this.picture.transformer;
    const { loss } = info.gradient ?? { loss: NaN };
    if (!this.losses.length) this.losses = [loss];
    this.curve.draw(this.losses);
    const points = toPixels(warpPoints(MATRIX_2X3, theta, this.centres ?? []), this.input.size);
    this.arrows.draw(points, tensors[`gradient.grid.${name}`].data, this.picture.outputSize);
    const numbers = [...tensors[`gradient.theta.${name}`].data];
    const cells = numbers.map((value) => decimal(value, 2));
    this.gradient.replaceChildren("∂L/∂θ =", matrix([cells.slice(0, 3), cells.slice(3)]));
    const isZero = numbers.every((value) => value === 0);
    this.sentence.replaceChildren(
      ...(isZero ? [NO_GRADIENT] : [
        "Each arrow is −∂L/∂",
        ...SOURCE(),
        " of one sampling point, enlarged: the direction in which it should move in the input.",
      ]),
    );
    this.loss.replaceChildren(
      `L = ${decimal(loss, 2)}. Each output pixel has its own `,
      ...TARGET("1"),
      " and samples at ",
      ...SOURCE(),
      "; summed over all pixels, ∂L/∂",
      ...SOURCE(),
      " times ",
      ...TARGET("1"),
      " is the gradient of θ:",
    );
    const probabilities = [...rowOf(tensors.probabilities, 0)];
    this.classes.update(probabilities, info.classes, info.predicted[0], MAX_CLASSES);
  }
}
