// A slider over the recorded steps of a run, and the choice of one of its probes.

import { element, setText } from "../ui/dom.js";
import { labelName } from "../ui/frame-text.js";
import { integer } from "../ui/number-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */

export class RecordedFrames {
  /**
   * @param {Api} api
   * @param {() => void} onChange called after a choice, and when a frame has come
   */
  constructor(api, onChange) {
    this.api = api;
    this.onChange = onChange;
    this.id = ""; // of the run
    /** @type {number[]} */
    this.steps = [];
    /** @type {number | null} */
    this.step = null; // null for the last
    this.probe = 0;
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {Map<number, Promise<Frame>>} */
    this.frames = new Map(); // by step
    this.slider = element("input.stn-slider", {
      type: "range",
      min: 0,
      step: 1,
      aria: { label: "Recorded step of the training" },
    });
    this.slider.oninput = () => this.#setStep(this.steps[this.slider.valueAsNumber]);
    this.text = element("span.stn-slider-value");
    this.message = element("p.stn-walkthrough-message", { aria: { live: "polite" } });
    this.probes = element("div.stn-segments", { role: "group", aria: { label: "Probe" } });
    this.element = element(
      "div.stn-recorded",
      { hidden: true },
      this.probes,
      element("label.stn-recorded-step", {}, "Step", this.slider, this.text),
      this.message,
    );
  }

  /**
   * Open a run.
   * @param {string} id
   * @throws {Problem} the server has no such run, or does not respond
   */
  async open(id) {
    const { steps } = await this.api.frames(id);
    if (!steps.length) return;
    Object.assign(this, { id, steps });
    this.slider.max = String(steps.length - 1);
    await this.#load();
    this.element.hidden = false;
  }

  /** @returns {Record<string, string>} */
  query() {
    return {
      ...(this.step === null ? {} : { at: String(this.step) }),
      ...(this.probe ? { probe: String(this.probe) } : {}),
    };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const step = Number(query.get("at") ?? NaN);
    const probe = Number(query.get("probe") ?? 0);
    this.step = Number.isInteger(step) && step >= 0 ? step : null;
    this.probe = Number.isInteger(probe) && probe >= 0 ? probe : 0;
    if (this.id) this.#reload();
  }

  /** @param {number} step */
  #setStep(step) {
    this.step = step === this.steps.at(-1) ? null : step;
    this.#reload();
  }

  /** Index of the recorded step at or before the chosen one. */
  get #index() {
    const { step, steps } = this;
    if (step === null) return steps.length - 1;
    return Math.max(0, steps.findLastIndex((each) => each <= step));
  }

  async #reload() {
    try {
      await this.#load();
    } catch (problem) {
      setText(this.message, /** @type {Error} */ (problem).message);
    }
  }

  async #load() {
    const step = this.steps[this.#index];
    this.slider.value = String(this.#index);
    setText(this.text, integer(step));
    this.slider.setAttribute("aria-valuetext", `Step ${integer(step)}`);
    const loading = this.frames.get(step) ??
      this.api.frame(this.id, step, {});
    this.frames.set(step, loading);
    loading.catch(() => this.frames.delete(step));
    const frame = await loading;
    if (step !== this.steps[this.#index]) return; // another one was chosen meanwhile
    this.frame = frame;
    setText(this.message, "");
    this.probe = Math.min(this.probe, frame.info.labels.length - 1);
    this.#listProbes(frame);
    this.onChange();
  }

  /** @param {Frame} frame */
  #listProbes({ info }) {
    if (this.probes.children.length !== info.labels.length) {
      this.probes.replaceChildren(...info.labels.map((label, index) => {
        const name = labelName(info, label) ?? String(index + 1);
        const button = element("button.stn-chip", { type: "button" }, name);
        button.onclick = () => {
          this.probe = index;
          this.#markProbe();
          this.onChange();
        };
        return button;
      }));
    }
    this.#markProbe();
  }

  #markProbe() {
    [...this.probes.children].forEach((button, index) =>
      button.setAttribute("aria-pressed", String(index === this.probe))
    );
  }
}
