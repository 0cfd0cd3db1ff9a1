// A classifier's scores for a digit that is moved: without a transformer they fall, with one they stay.

import { rowOf } from "../protocol/frame.js";
import { regionParts } from "../stage/probe-layers.js";
import { ClassBars } from "../stage/class-bars.js";
import { ImagePane } from "../stage/image-pane.js";
import { RegionOverlay } from "../stage/region-overlay.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { tabLink } from "../ui/tab-link.js";
import { element, setText } from "../ui/dom.js";
import { percent } from "../ui/number-text.js";
import { MeasuredRange } from "./measured-range.js";
import { poolingText } from "./pooling-text.js";
import { RangePlot } from "./range-plot.js";
import { setMargin } from "./region-pane.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { Variation } from "../protocol/transform-stream.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

// Trained on digits in the middle only, by pooling and without a transformer.
const WITHOUT = "digits-cnn-centred";
// In pixels of the input; so the picture is never resampled for a shift.
const MAX_SHIFT = 20;
const VALUES = Array.from({ length: 2 * MAX_SHIFT + 1 }, (_, index) => index - MAX_SHIFT);
const PARAMETER = "shift";
// Other changes, each measured once: what pooling tolerates of them.
const TURN = 45;
const SHRINK = 0.6;
const MAX_CLASSES = 4;
const TITLES = ["CNN, without a transformer", "ST-CNN, with one"];

/** @param {number} pixels */
const shiftText = (pixels) =>
  pixels === 0 ? "in the middle" : `${Math.abs(pixels)} px ${pixels > 0 ? "right" : "left"}`;

const TRAINING =
  "The CNN was trained on centred digits, so its pooling is all that can tolerate a shift; the ST-CNN on digits " +
  "that are rotated, scaled and moved. A CNN that was trained on those too is compared in ";

export class ClassifierFigure {
  /** @param {WalkthroughContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.shift = 0;
    this.label = -1; // the class whose probability is drawn; that of the picture in the middle
    this.input = new ImagePane("Input");
    this.seen = ["Input: classified as it is", "Output: the classifier's input"].map(
      (title) => new ImagePane(title),
    );
    this.overlay = new RegionOverlay();
    this.bars = TITLES.map(() => new ClassBars());
    this.slider = element("input.stn-slider", {
      type: "range",
      min: -MAX_SHIFT,
      max: MAX_SHIFT,
      step: 1,
      aria: { label: "Shift of the digit" },
    });
    this.slider.oninput = () => this.#setShift(this.slider.valueAsNumber);
    this.value = element("span.stn-slider-value");
    this.plot = new RangePlot(
      {
        range: [-MAX_SHIFT, MAX_SHIFT],
        ticks: [-20, -10, 0, 10, 20].map((value) => [value, shiftText(value)]),
      },
      { range: [0, 1], ticks: [[0, "0"], [0.5, "50%"], [1, "100%"]] },
    );
    this.caption = element("p.stn-walkthrough-sentence.stn-classifier-caption", {
      aria: { live: "polite" },
    });
    this.pooling = element("p.stn-walkthrough-sentence.stn-classifier-pooling");
    this.element = this.#layOut();
    this.#acceptDrags();
    picture.addEventListener("change", () => this.#build());
    this.#build();
  }

  #layOut() {
    const keys = TITLES.map((title, index) =>
      element("span.stn-plot-key", { data: { series: index + 1 } }, title)
    );
    /** @param {number} index */
    const network = (index) =>
      element(
        "section.stn-classifier-network",
        { aria: { label: TITLES[index] } },
        element("h3.stn-tab-heading", {}, keys[index]),
        this.seen[index].element,
        this.bars[index].element,
      );
    const slider = element(
      "label.stn-classifier-slider",
      {},
      element("span", {}, "Shift"),
      this.slider,
      this.value,
    );
    return element(
      "div.stn-classifier-figure",
      {},
      element("div.stn-walkthrough-pane", {}, this.input.element, slider),
      network(0),
      network(1),
      element(
        "div.stn-classifier-plot",
        {},
        this.caption,
        this.plot.element,
      ),
      element(
        "div.stn-classifier-prediction",
        {},
        this.pooling,
        element("p.stn-classifier-note", {}, TRAINING, tabLink("picture", "Try a picture"), "."),
      ),
    );
  }

  /** Move the digit by dragging it across the input. */
  #acceptDrags() {
    const { content } = this.input;
    content.classList.add("stn-classifier-drag");
    /** @type {{x: number, shift: number} | null} */
    let start = null;
    content.onpointerdown = (event) => {
      if (event.button !== 0) return;
      content.setPointerCapture(event.pointerId);
      start = { x: event.clientX, shift: this.shift };
    };
    content.onpointermove = (event) => {
      if (!start) return;
      const width = this.input.image.canvas.getBoundingClientRect().width;
      const pixels = (this.#width * (event.clientX - start.x)) / width;
      this.#setShift(Math.round(start.shift + pixels));
    };
    content.onpointerup = content.onpointercancel = content.onlostpointercapture = () => {
      start = null;
    };
  }

  get #width() {
    return this.picture.input.shape[1];
  }

  #build() {
    this.range?.stop();
    this.range = new MeasuredRange(VALUES, (shift) => this.#measure(shift), () => this.#draw());
    const [height, width] = this.picture.input.shape;
    setMargin(this.input, [height, width]);
    this.input.setOverlays(this.overlay.element);
    this.overlay.fit(height, width);
    this.label = -1;
    setText(this.pooling, "");
    this.#setShift(0, false);
    if (this.isShown) this.show();
  }

  /**
   * Return the frames of both networks for one shift.
   * @param {number} shift
   */
  #measure(shift) {
    return this.#request({ shift_x: (2 * shift) / this.#width });
  }

  /**
   * Return the frames of both networks for one change of the picture in the middle.
   * @param {Variation} change
   * @returns {Promise<Frame[] | null>} null if a newer request superseded this one
   */
  async #request(change) {
    const { picture } = this;
    const variation = { ...picture.centredVariation, ...change };
    const frames = await Promise.all(
      [WITHOUT, picture.weights].map((weights) =>
        picture.request(weights, { variation }, "classifier")
      ),
    );
    return frames.every((frame) => frame !== null) ? /** @type {Frame[]} */ (frames) : null;
  }

  async show() {
    this.isShown = true;
    this.#draw();
    try {
      await this.range?.start();
      await this.#answer();
    } catch (problem) {
      setText(this.caption, /** @type {Error} */ (problem).message);
    }
  }

  /** Describe the shifts that pooling tolerates, once all are measured. */
  async #answer() {
    const { range, picture } = this;
    if (!range || range.measured.size < VALUES.length || this.pooling.textContent) return;
    const { rotation = 0, scale = 1 } = picture.centredVariation;
    const turned = await this.#request({ rotation: rotation + TURN });
    const reduced = turned && await this.#request({ scale: SHRINK * scale });
    const middle = range.measured.get(0);
    if (!middle || !turned || !reduced || range !== this.range) return;
    /** @param {Frame[]} frames */
    const probabilities = (frames) => {
      const [withoutTransformer, withTransformer] = frames.map(({ tensors }) =>
        tensors.probabilities.data[this.label]
      );
      return { withoutTransformer, withTransformer };
    };
    const changes = [
      { title: `a rotation by ${TURN}°`, ...probabilities(turned) },
      { title: `${percent(SHRINK, 0)} of the size`, ...probabilities(reduced) },
    ];
    const name = middle[1].info.classes[this.label];
    setText(this.pooling, poolingText(name, this.#lines(range.measured), changes, shiftText));
  }

  /**
   * Return the probability of the class over the shift, of both networks.
   * @param {Map<number, Frame[]>} measured
   * @returns {[number, number][][]}
   */
  #lines(measured) {
    return [0, 1].map((index) =>
      VALUES.flatMap((value) => {
        const frame = measured.get(value)?.[index];
        return frame
          ? [
            /** @type {[number, number]} */ ([value, frame.tensors.probabilities.data[this.label]]),
          ]
          : [];
      })
    );
  }

  hide() {
    this.isShown = false;
    this.range?.stop();
  }

  /** @returns {Record<string, string>} */
  query() {
    return this.shift ? { [PARAMETER]: String(this.shift) } : {};
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const shift = Number(query.get(PARAMETER) ?? 0);
    if (VALUES.includes(shift)) this.#setShift(shift, false);
  }

  /** @param {number} shift @param {boolean} isByHand */
  #setShift(shift, isByHand = true) {
    this.shift = Math.max(-MAX_SHIFT, Math.min(MAX_SHIFT, shift));
    if (this.range) this.range.target = this.label < 0 ? 0 : this.shift;
    this.slider.valueAsNumber = this.shift;
    setText(this.value, shiftText(this.shift));
    this.slider.setAttribute("aria-valuetext", shiftText(this.shift));
    this.#draw();
    if (isByHand) this.changed();
  }

  #draw() {
    const measured = this.range?.measured;
    const middle = measured?.get(0);
    if (!measured || !middle || !this.isShown) return;
    if (this.label < 0) {
      this.label = Number(middle[1].info.predicted[0]);
      if (this.range) this.range.target = this.shift;
    }
    /** @param {Frame} frame */
    const probability = ({ tensors }) => tensors.probabilities.data[this.label];
    const frames = measured.get(this.shift);
    const name = middle[1].info.classes[this.label];
    if (frames) {
      const [withoutTransformer, withTransformer] = frames.map((frame) =>
        percent(probability(frame), 0)
      );
      const where = this.shift ? `Moved ${shiftText(this.shift)}` : "In the middle";
      setText(
        this.caption,
        `Probability of ${name}. ${where}: ${withoutTransformer} without a transformer, ` +
          `${withTransformer} with one.`,
      );
      this.#drawFrames(frames);
    }
    this.plot.draw(this.#lines(measured), this.shift, `Probability of ${name} over the shift`);
  }

  /** @param {Frame[]} frames */
  #drawFrames(frames) {
    frames.forEach(({ info, tensors }, index) => {
      const probabilities = [...rowOf(tensors.probabilities, 0)];
      this.bars[index].update(probabilities, info.classes, info.predicted[0], MAX_CLASSES);
    });
    const [, frame] = frames;
    const { input } = frame.tensors;
    for (const { image } of [this.input, this.seen[0]]) {
      image.draw(rowOf(input, 0), input.shape.slice(1));
    }
    const [transformer] = frame.info.transformers;
    const output = frame.tensors[`output.${transformer.name}`];
    this.seen[1].image.draw(rowOf(output, 0), output.shape.slice(1));
    this.overlay.draw(regionParts(frame, transformer, 0, DEFAULT_LAYERS, []));
  }
}
