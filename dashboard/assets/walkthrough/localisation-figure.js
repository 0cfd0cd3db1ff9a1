// The localisation network: its feature maps, and how theta follows a change of the picture.

import { decomposeRegion } from "../geometry/region-geometry.js";
import { rowOf } from "../protocol/frame.js";
import { ImagePane } from "../stage/image-pane.js";
import { regionParts } from "../stage/probe-layers.js";
import { RegionOverlay } from "../stage/region-overlay.js";
import { regionSentence } from "../stage/theta-text.js";
import { element, setText } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";
import { TimedChange } from "../ui/timed-change.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { matrix } from "./equation.js";
import { MeasuredRange } from "./measured-range.js";
import { RangePlot } from "./range-plot.js";
import { setMargin } from "./region-pane.js";

/** @import { Frame, Tensor } from "../protocol/types.js" */
/** @import { RegionPose } from "../geometry/region-geometry.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

/**
 * One way in which the picture is changed, and the number of the region that should follow.
 * @typedef {object} Change
 * @property {"shift_x" | "rotation" | "scale"} name
 * @property {string} title
 * @property {string} region what follows
 * @property {number[]} values
 * @property {number} neutral
 * @property {(pose: RegionPose, middle: RegionPose) => number} follow the region's change, in the same unit
 * @property {(value: number) => string} text
 */

/** @type {(from: number, to: number, count: number) => number[]} */
const linspace = (from, to, count) =>
  Array.from(
    { length: count },
    (_, index) => Number((from + ((to - from) * index) / (count - 1)).toFixed(4)),
  );

/** @type {Change[]} */
const CHANGES = [
  {
    name: "shift_x",
    title: "Shift right",
    region: "shift",
    values: linspace(-0.8, 0.8, 33),
    neutral: 0,
    follow: (pose, middle) => pose.shiftX - middle.shiftX,
    text: (value) => decimal(value, 2),
  },
  {
    name: "rotation",
    title: "Rotation",
    region: "rotation",
    values: linspace(-90, 90, 37),
    neutral: 0,
    follow: (pose, middle) => (180 / Math.PI) * (pose.rotation - middle.rotation),
    text: (value) => `${decimal(value, 0)}°`,
  },
  {
    name: "scale",
    title: "Scale",
    region: "scale",
    values: linspace(0.5, 1.5, 21),
    neutral: 1,
    follow: (pose, middle) => pose.scaleX / middle.scaleX,
    text: (value) => decimal(value, 2),
  },
];
const PARAMETERS = { change: "change", value: "value" };
// Maps in a row of their picture, with a gap of a pixel between them.
const COLUMNS = 8;
const GAP = 1;
// The answer to the question: the digit moves right.
const ANSWER = { change: CHANGES[0], value: 0.5 };
const ANSWER_MILLISECONDS = 2400;
const KEYS = ["if the region followed exactly", "the region, from θ"];

export class LocalisationFigure {
  /** @param {WalkthroughContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.change = CHANGES[0];
    this.value = this.change.neutral;
    this.input = new ImagePane("Input, with the region that θ samples");
    this.overlay = new RegionOverlay();
    this.input.setOverlays(this.overlay.element);
    /** @type {ImagePane[]} */
    this.maps = [];
    this.mapRow = element("div.stn-localisation-maps");
    this.theta = element("div.stn-equation", { role: "group", aria: { label: "θ" } });
    this.sentence = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    this.caption = element("p.stn-walkthrough-sentence.stn-classifier-caption");
    this.changes = element("p.stn-walkthrough-sentence.stn-localisation-changes");
    this.answer = new TimedChange();
    this.slider = element("input.stn-slider", { type: "range" });
    this.slider.oninput = () => {
      this.answer.stop();
      this.#setValue(Number(this.slider.value));
    };
    this.shown = element("span.stn-slider-value");
    this.chips = CHANGES.map((change) => {
      const chip = element("button.stn-chip", { type: "button" }, change.title);
      chip.onclick = () => this.#setChange(change, change.neutral);
      return chip;
    });
    this.plotPlace = element("div");
    this.element = this.#layOut();
    picture.addEventListener("change", () => this.#setChange(this.change, this.change.neutral));
    this.#setChange(this.change, this.value, false);
  }

  #layOut() {
    const keys = KEYS.map((title, index) =>
      element("span.stn-plot-key", { data: { series: index + 1 } }, title)
    );
    const segments = element("span.stn-segments", { role: "group" }, ...this.chips);
    segments.setAttribute("aria-label", "Change of the picture");
    return element(
      "div.stn-localisation-figure",
      {},
      element(
        "div.stn-walkthrough-pane",
        {},
        this.input.element,
        element("div.stn-localisation-change", {}, segments),
        element("label.stn-classifier-slider", {}, "Value", this.slider, this.shown),
      ),
      this.mapRow,
      element(
        "div.stn-localisation-theta",
        {},
        this.theta,
        this.changes,
        this.sentence,
        this.caption,
        element("p.stn-localisation-keys", {}, ...keys),
        this.plotPlace,
      ),
    );
  }

  /** @param {Change} change @param {number} value @param {boolean} isByHand */
  #setChange(change, value, isByHand = true) {
    this.answer.stop();
    this.change = change;
    this.chips.forEach((chip, index) =>
      chip.setAttribute("aria-pressed", String(CHANGES[index] === change))
    );
    const { values, title, text, neutral } = change;
    const [first, last] = [values[0], values[values.length - 1]];
    const step = Number((values[1] - first).toFixed(4));
    Object.assign(this.slider, { min: String(first), max: String(last), step: String(step) });
    this.slider.setAttribute("aria-label", title);
    /** @type {[number, string][]} */
    const ticks = [first, (first + neutral) / 2, neutral, (last + neutral) / 2, last].map(
      (each) => [each, text(each)],
    );
    this.plot = new RangePlot({ range: [first, last], ticks }, {
      range: [first, last],
      ticks: [
        ticks[0],
        ticks[2],
        ticks[4],
      ],
    });
    this.plotPlace.replaceChildren(this.plot.element);
    this.range?.stop();
    this.range = new MeasuredRange(values, (each) => this.#measure(each), () => this.#draw());
    this.range.target = neutral;
    this.#setValue(value, isByHand);
    if (this.isShown) this.show();
  }

  /** @param {number} value */
  #measure(value) {
    const { picture, change } = this;
    const variation = { ...picture.centredVariation };
    const base = variation[change.name] ?? change.neutral;
    const varied = change.name === "scale" ? base * value : base + value;
    const changed = { ...variation, [change.name]: varied };
    return picture.request(
      picture.weights,
      { variation: changed, maps: true },
      "localisation",
    );
  }

  async show() {
    this.isShown = true;
    this.#draw();
    try {
      await this.range?.start();
    } catch (problem) {
      setText(this.caption, /** @type {Error} */ (problem).message);
    }
  }

  hide() {
    this.isShown = false;
    this.range?.stop();
    this.answer.stop();
  }

  /** Move the digit right, and the region after it. */
  playAnswer() {
    const { change, value } = ANSWER;
    this.#setChange(change, change.neutral);
    const first = change.values.indexOf(change.neutral);
    const last = change.values.indexOf(value);
    return this.answer.run(ANSWER_MILLISECONDS, (share) => {
      const shown = change.values[Math.round(first + share * (last - first))];
      if (shown !== this.value) this.#setValue(shown);
    });
  }

  /** @returns {Record<string, string>} */
  query() {
    const { change, value } = this;
    const isDefault = change === CHANGES[0] && value === change.neutral;
    return isDefault ? {} : { [PARAMETERS.change]: change.name, [PARAMETERS.value]: String(value) };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const change = CHANGES.find(({ name }) => name === query.get(PARAMETERS.change));
    const value = Number(query.get(PARAMETERS.value) ?? NaN);
    if (change) {
      this.#setChange(change, change.values.includes(value) ? value : change.neutral, false);
    }
  }

  /** @param {number} value @param {boolean} isByHand */
  #setValue(value, isByHand = true) {
    this.value = Number(value.toFixed(4));
    if (this.range?.measured.has(this.change.neutral)) this.range.target = this.value;
    this.slider.value = String(this.value);
    const text = this.change.text(this.value);
    setText(this.shown, text);
    this.slider.setAttribute("aria-valuetext", text);
    this.#draw();
    if (isByHand) this.changed();
  }

  #draw() {
    const { change, range, value, plot } = this;
    const middle = range?.measured.get(change.neutral);
    if (!range || !middle || !plot || !this.isShown) return;
    const start = poseOf(middle);
    /** @type {[number, number][]} */
    const followed = change.values.flatMap((each) => {
      const frame = range.measured.get(each);
      return frame ? [[each, change.follow(poseOf(frame), start)]] : [];
    });
    /** @type {[number, number][]} */
    const exact = change.values.map((each) => [each, each]);
    plot.draw([exact, followed], value, `The region's ${change.region} over the picture's`);
    const frame = range.measured.get(value);
    if (!frame) {
      range.target = value;
      return;
    }
    const now = change.text(change.follow(poseOf(frame), start));
    setText(
      this.caption,
      `The picture's ${change.region}: ${
        change.text(value)
      }. The region's ${change.region}, beside that at ` +
        `${change.text(change.neutral)}: ${now}.`,
    );
    setText(
      this.changes,
      value === change.neutral ? "" : changeText(thetaOf(middle), thetaOf(frame)),
    );
    this.#drawFrame(frame);
  }

  /** @param {Frame} frame */
  #drawFrame(frame) {
    const { info, tensors } = frame;
    const [transformer] = info.transformers;
    const { input } = tensors;
    const [height, width] = input.shape.slice(1, 3);
    setMargin(this.input, [height, width]);
    this.input.image.draw(rowOf(input, 0), input.shape.slice(1));
    this.overlay.fit(height, width);
    this.overlay.draw(regionParts(frame, transformer, 0, DEFAULT_LAYERS, []));
    const numbers = [...rowOf(tensors[`theta.${transformer.name}`], 0)].map((each) =>
      decimal(each, 3)
    );
    this.theta.replaceChildren("θ =", matrix([numbers.slice(0, 3), numbers.slice(3)]));
    setText(this.sentence, regionSentence(latticeOf(frame), [height, width]));
    this.#drawMaps(frame);
  }

  /** @param {Frame} frame */
  #drawMaps({ tensors, info }) {
    const name = info.transformers[0].name;
    const stages = Object.keys(tensors).filter((key) => key.startsWith(`maps.${name}.`)).sort();
    if (this.maps.length !== stages.length) {
      this.maps = stages.map((key, index) => {
        const [count, height, width] = tensors[key].shape;
        return new ImagePane(`Stage ${index + 1}: ${count} maps of ${width}x${height}`);
      });
      this.mapRow.replaceChildren(...this.maps.map((pane) => pane.element));
    }
    stages.forEach((key, index) => {
      const { data, shape } = montage(tensors[key]);
      this.maps[index].image.draw(data, shape);
    });
  }
}

/** @param {Frame} frame */
const latticeOf = ({ info, tensors }) => rowOf(tensors[`grid.${info.transformers[0].name}`], 0);

/** @param {Frame} frame */
const thetaOf = ({ info, tensors }) => [...rowOf(tensors[`theta.${info.transformers[0].name}`], 0)];

/**
 * Describe which number of theta has changed most.
 * @param {number[]} before
 * @param {number[]} after
 */
function changeText(before, after) {
  const changes = after.map((value, index) => Math.abs(value - before[index]));
  const most = changes.indexOf(Math.max(...changes));
  const second = Math.max(...changes.filter((_, index) => index !== most));
  const [from, to] = [before[most], after[most]].map((value) => decimal(value, 2));
  return `θ ${Math.floor(most / 3) + 1},${most % 3 + 1} has changed most, from ${from} to ${to}; ` +
    `the others by ${decimal(second, 2)} at most.`;
}

/** @param {Frame} frame */
const poseOf = (frame) => decomposeRegion(latticeOf(frame), frame.tensors.input.shape.slice(1, 3));

/**
 * Return maps side by side as one image.
 * @param {Tensor} maps (C, h, w) in bytes
 */
function montage({ data, shape: [count, height, width] }) {
  const rows = Math.ceil(count / COLUMNS);
  const [full, side] = [rows * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP];
  const pixels = new Uint8Array(full * side).fill(128);
  for (let map = 0; map < count; map++) {
    const top = Math.floor(map / COLUMNS) * (height + GAP);
    const left = (map % COLUMNS) * (width + GAP);
    for (let row = 0; row < height; row++) {
      const from = (map * height + row) * width;
      pixels.set(data.subarray(from, from + width), (top + row) * side + left);
    }
  }
  return { data: pixels, shape: [full, side, 1] };
}
