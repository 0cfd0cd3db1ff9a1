// The phases within one training step, shown one after another in slow motion.

import { element, setText } from "../ui/dom.js";

/**
 * @typedef {object} Phase
 * @property {string} name the style sheet dims the parts of the stage that it does not concern
 * @property {string} title
 * @property {string} text
 * @property {boolean} [transformer] whether only a network with a transformer has it
 */

/** @type {Phase[]} */
const PHASES = [
  {
    name: "batch",
    title: "Batch",
    text: "Training images are drawn and distorted; the stage shows the probes instead.",
  },
  {
    name: "localise",
    title: "Localise",
    text: "The localisation network takes each whole image.",
    transformer: true,
  },
  {
    name: "theta",
    title: "Theta",
    text: "It predicts theta for each image: the numbers that place the sampling grid.",
    transformer: true,
  },
  {
    name: "sample",
    title: "Sample",
    text: "Each output pixel is interpolated from the four input pixels around its grid point.",
    transformer: true,
  },
  {
    name: "loss",
    title: "Loss",
    text: "The classifier predicts a class from the output; the loss measures how wrong it is.",
  },
  {
    name: "step",
    title: "Step",
    text: "Gradients flow back, through the sampler too, and every weight changes a little.",
  },
];

// Shorter steps leave no time to see their phases.
const MIN_STEP_SECONDS = 1;
const MIN_TIMEOUT_MILLISECONDS = 10;
// Timers may fire slightly early.
const TIMER_SLACK_SECONDS = 0.005;

/**
 * Return the phases of a network's steps. Exported for tests.
 * @param {boolean} hasTransformer
 */
export const phasesOf = (hasTransformer) =>
  PHASES.filter(({ transformer }) => hasTransformer || !transformer);

/**
 * Return the index of the current phase; the last one lasts until the next step. Exported for tests.
 * @param {number} elapsed seconds since the step began
 * @param {number} stepSeconds how long a step takes
 * @param {number} count of phases
 */
export const phaseAt = (elapsed, stepSeconds, count) =>
  Math.min(count - 1, Math.max(0, Math.floor((elapsed / stepSeconds) * count)));

export class StepPhases {
  /** @param {(phase: string | null) => void} phaseChanged called with the name of each new phase */
  constructor(phaseChanged) {
    this.phaseChanged = phaseChanged;
    this.list = element("ol.stn-phase-list");
    this.text = element("p.stn-phase-text");
    this.element = element("div.stn-phases", { hidden: true }, this.list, this.text);
    this.stepSeconds = 0; // 0 while steps are too short for phases
    this.startedAt = 0; // when the step began, in milliseconds
    /** @type {boolean | null} */
    this.hasTransformer = null;
    /** @type {Phase[]} */
    this.phases = [];
    /** @type {HTMLElement[]} */
    this.items = [];
    /** @type {string | null} */
    this.current = null; // name of the current phase
  }

  /**
   * Show the phases of steps that take `seconds`, or hide them if steps are too short.
   * @param {number} seconds
   * @param {boolean} hasTransformer whether the network has a transformer
   */
  setStepDuration(seconds, hasTransformer) {
    this.stepSeconds = seconds >= MIN_STEP_SECONDS ? seconds : 0;
    this.element.hidden = !this.stepSeconds;
    if (!this.stepSeconds) this.#stop();
    if (this.hasTransformer !== hasTransformer) this.#build(hasTransformer);
  }

  /** @param {boolean} hasTransformer */
  #build(hasTransformer) {
    this.hasTransformer = hasTransformer;
    this.phases = phasesOf(hasTransformer);
    this.items = this.phases.map(({ title }) => element("li.stn-phase", {}, title));
    this.list.replaceChildren(...this.items);
  }

  /** Start with the first phase: a step was drawn, and the next one begins. */
  startStep() {
    if (!this.stepSeconds) return;
    this.startedAt = performance.now();
    this.#showPhase(0);
  }

  /** @param {number} index */
  #showPhase(index) {
    clearTimeout(this.timer);
    const phase = this.phases[index];
    if (phase.name !== this.current) {
      this.current = phase.name;
      this.items.forEach((item, at) => item.toggleAttribute("aria-current", at === index));
      setText(this.text, phase.text);
      this.phaseChanged(phase.name);
    }
    if (index === this.phases.length - 1) return;
    const phaseMilliseconds = (1000 * this.stepSeconds) / this.phases.length;
    const delay = this.startedAt + (index + 1) * phaseMilliseconds - performance.now();
    this.timer = setTimeout(() => this.#advance(), Math.max(MIN_TIMEOUT_MILLISECONDS, delay));
  }

  #advance() {
    const elapsed = (performance.now() - this.startedAt) / 1000 + TIMER_SLACK_SECONDS;
    this.#showPhase(phaseAt(elapsed, this.stepSeconds, this.phases.length));
  }

  #stop() {
    clearTimeout(this.timer);
    if (this.current !== null) this.phaseChanged(null);
    this.current = null;
  }
}
