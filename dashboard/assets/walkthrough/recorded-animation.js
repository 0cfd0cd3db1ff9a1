// Recorded frames that are played in a loop, as a GIF would: a counter above, and below it a row for each
// probe, its input with dots at the region's corners on the left and the output on the right.

import { inputMargin } from "../geometry/input-margin.js";
import { rowOf } from "../protocol/frame.js";
import { PixelImage } from "../stage/canvas.js";
import { RegionOverlay } from "../stage/region-overlay.js";
import { element, icon, ICONS, setText } from "../ui/dom.js";
import { prefersReducedMotion } from "../ui/reduced-motion.js";

/** @import { Frame, Tensor } from "../protocol/types.js" */

/**
 * What is played.
 * @typedef {object} AnimationSource
 * @property {number[]} keys of its frames, in order
 * @property {(key: number) => Promise<Frame>} load
 * @property {(frame: Frame) => string} counter
 * @property {number[]} probes
 * @property {number} milliseconds of a frame
 * @property {number} lastMilliseconds of the last frame
 */

/**
 * Return the recorded steps at the tenths of the first epoch, 0 to 10.
 * @param {number[]} steps that are recorded, in order
 * @param {number} perEpoch steps of an epoch
 */
export const stepsOfTenths = (steps, perEpoch) =>
  Array.from({ length: 11 }, (_, tenth) => steps.find((step) => 10 * step >= tenth * perEpoch))
    .filter((step) => step !== undefined);

export class RecordedAnimation {
  /**
   * @param {string} name in addresses
   * @param {string} description of the pictures, for screen readers
   * @param {() => void} onChange called after the reader has paused, played or moved it
   */
  constructor(name, description, onChange) {
    this.name = name;
    this.onChange = onChange;
    /** @type {AnimationSource | null} */
    this.source = null;
    this.index = 0; // of the frame that is shown
    this.isShown = false;
    this.isPaused = prefersReducedMotion();
    /** @type {number | null} */
    this.chosen = null; // key of the frame at which the reader has paused it
    this.plays = 0; // counts the loops that were begun: only the newest goes on
    /** @type {Map<number, Promise<Frame>>} */
    this.frames = new Map();
    /** @type {Row[]} */
    this.rows = [];
    this.counter = element("p.stn-animation-counter", {}, "\u00a0");
    this.images = element("div.stn-animation-images", {
      role: "img",
      aria: { label: description },
      data: { hidden: "outline" },
    });
    this.button = element("button.stn-button.stn-small", { type: "button" });
    this.button.onclick = () => (this.isPaused ? this.#play() : this.#pause());
    this.slider = element("input.stn-slider", {
      type: "range",
      min: 0,
      step: 1,
      value: "0",
      aria: { label: `Frame: ${name}` },
    });
    this.slider.oninput = () => {
      this.index = this.slider.valueAsNumber;
      this.#pause();
    };
    this.message = element("p.stn-walkthrough-message", { aria: { live: "polite" } });
    this.element = element(
      "div.stn-animation",
      {},
      this.counter,
      element("div.stn-animation-controls", {}, this.button, this.slider),
      this.message,
      this.images,
    );
    this.#label();
  }

  /**
   * Play a source's frames from the first one; for a reader who prefers no motion, show its last frame.
   * @param {AnimationSource} source
   */
  open(source) {
    this.source = source;
    this.slider.max = String(source.keys.length - 1);
    this.index = this.isPaused ? source.keys.length - 1 : 0;
    if (this.chosen !== null) this.index = Math.max(0, source.keys.indexOf(this.chosen));
    return this.#start();
  }

  /** Show it; settles once a frame is drawn. */
  show() {
    this.isShown = true;
    return this.#start();
  }

  hide() {
    this.isShown = false;
    this.plays++;
  }

  /** @returns {Record<string, string>} */
  query() {
    return this.chosen === null ? {} : { [this.name]: String(this.chosen) };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const text = query.get(this.name);
    if (!text || !/^\d{1,12}$/.test(text)) return;
    this.chosen = Number(text);
    this.isPaused = true;
    this.#label();
    if (this.source) this.index = Math.max(0, this.source.keys.indexOf(this.chosen));
    if (this.isShown) this.#start();
  }

  #play() {
    this.isPaused = false;
    this.chosen = null;
    this.#label();
    this.#start();
    this.onChange();
  }

  #pause() {
    this.isPaused = true;
    this.chosen = this.source?.keys[this.index] ?? null;
    this.#label();
    this.#start();
    this.onChange();
  }

  #label() {
    const [path, text] = this.isPaused ? [ICONS.play, "Play"] : [ICONS.pause, "Pause"];
    this.button.replaceChildren(icon(path), text);
  }

  /** Draw the present frame and, unless it is paused, those that follow; settles after the first one. */
  async #start() {
    const play = ++this.plays;
    const { source } = this;
    if (!source || !this.isShown) return;
    await this.#draw(source);
    if (!this.isPaused) this.#loop(source, play);
  }

  /**
   * @param {AnimationSource} source
   * @param {number} play
   */
  async #loop(source, play) {
    const last = source.keys.length - 1;
    while (true) {
      const next = this.index === last ? 0 : this.index + 1;
      const loading = this.#load(source, next).catch(() => null);
      const { milliseconds, lastMilliseconds } = source;
      await new Promise((done) =>
        setTimeout(done, this.index === last ? lastMilliseconds : milliseconds)
      );
      await loading;
      if (play !== this.plays) return;
      this.index = next;
      await this.#draw(source);
    }
  }

  /**
   * @param {AnimationSource} source
   * @param {number} index
   */
  #load(source, index) {
    const key = source.keys[index];
    const loading = this.frames.get(key) ?? source.load(key);
    this.frames.set(key, loading);
    loading.catch(() => this.frames.delete(key));
    return loading;
  }

  /** @param {AnimationSource} source */
  async #draw(source) {
    const { index } = this;
    this.slider.value = String(index);
    try {
      const frame = await this.#load(source, index);
      if (index !== this.index) return; // another one was chosen meanwhile
      const text = source.counter(frame);
      setText(this.counter, text);
      this.slider.setAttribute("aria-valuetext", text);
      this.#drawRows(frame, source.probes);
      setText(this.message, "");
    } catch (problem) {
      setText(this.message, /** @type {Error} */ (problem).message);
    }
  }

  /**
   * @param {Frame} frame
   * @param {number[]} probes
   */
  #drawRows({ info, tensors }, probes) {
    const { name } = info.transformers[0];
    if (!this.rows.length) {
      this.rows = probes.map(() => new Row(tensors.input.shape.slice(1)));
      const headings = ["Input", "Output"].map((text) =>
        element("span.stn-animation-heading", {}, text)
      );
      this.images.replaceChildren(...headings, ...this.rows.flatMap((row) => row.elements));
    }
    const { input, [`output.${name}`]: output, [`grid.${name}`]: grid } = tensors;
    this.rows.forEach((row, index) => row.draw(input, output, grid, probes[index]));
  }
}

/** The pictures of one probe. */
class Row {
  /** @param {number[]} shape height and width of the input */
  constructor([height, width]) {
    const padding = `${
      (100 * inputMargin(height, width)) / (width + 2 * inputMargin(height, width))
    }%`;
    this.images = [new PixelImage(), new PixelImage()];
    this.overlay = new RegionOverlay();
    this.overlay.fit(height, width);
    this.elements = this.images.map(({ canvas }) => {
      canvas.className = "stn-image";
      return element("div.stn-animation-image", { style: `padding: ${padding}` }, canvas);
    });
    this.elements[0].append(this.overlay.element);
  }

  /**
   * @param {Tensor} input
   * @param {Tensor} output
   * @param {Tensor} grid
   * @param {number} probe
   */
  draw(input, output, grid, probe) {
    this.images[0].draw(rowOf(input, probe), input.shape.slice(1));
    this.images[1].draw(rowOf(output, probe), output.shape.slice(1));
    const lattice = rowOf(grid, probe);
    this.overlay.draw({ lattice, mesh: false, controlPoints: [], trail: [] });
  }
}
