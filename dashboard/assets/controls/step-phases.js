// What happens within a step, shown one after another while each is drawn out.

import { element, setText } from "../ui/dom.js";

// Each phase: what it is called, and what it does. `seen` is what of the stage belongs to it; the rest
// steps back. Those marked `transformer` do not happen in a network without one.
const PHASES = [
  {
    name: "batch",
    title: "Batch",
    text: "Training images are drawn and distorted; here the probes stand for them.",
  },
  {
    name: "localise",
    title: "Localise",
    text: "The localisation network looks at each whole image.",
    transformer: true,
  },
  {
    name: "theta",
    title: "Theta",
    text: "For each image it names a region: the numbers of theta place the sampling grid.",
    transformer: true,
  },
  {
    name: "sample",
    title: "Sample",
    text:
      "Each pixel of the output is read where its grid point lies, from the four pixels around.",
    transformer: true,
  },
  {
    name: "loss",
    title: "Loss",
    text: "The classifier names a class for what it is handed; the loss says how wrong that is.",
  },
  {
    name: "step",
    title: "Step",
    text: "Gradients flow back, through the sampler too, and every weight moves a little.",
  },
];

// Seconds a step from which on there is time to see its phases.
const SLOW_ENOUGH = 1;

/** The phases of a network's steps. */
// Exported for tests.
export const phasesOf = (plain) => PHASES.filter(({ transformer }) => !(plain && transformer));

/** Which of `count` phases a step of `length` seconds is in after `elapsed`; the last one waits. */
// Exported for tests.
export const phaseAt = (elapsed, length, count) =>
  Math.min(count - 1, Math.max(0, Math.floor((elapsed / length) * count)));

export class Phases {
  /** @param {(phase: string | null) => void} tell called with each phase's name as it begins */
  constructor(tell) {
    this.tell = tell;
    this.list = element("ol.stn-phase-list");
    this.text = element("p.stn-phase-text");
    this.element = element("div.stn-phases", { hidden: true }, this.list, this.text);
    this.phase = null;
  }

  /**
   * Shows phases of steps that take `seconds` from now on, or none.
   * @param {boolean} plain whether the network has no transformer
   */
  plan(seconds, plain) {
    this.seconds = seconds >= SLOW_ENOUGH ? seconds : 0;
    this.element.hidden = !this.seconds;
    if (!this.seconds) this.#stop();
    if (this.plain !== plain || !this.items) this.#build(plain);
  }

  #build(plain) {
    this.plain = plain;
    this.phases = phasesOf(plain);
    this.items = this.phases.map(({ title }) => element("li.stn-phase", {}, title));
    this.list.replaceChildren(...this.items);
  }

  /** A step has been painted: the next one begins. */
  begin() {
    if (!this.seconds) return;
    this.began = performance.now();
    this.#show(0);
  }

  #show(index) {
    clearTimeout(this.timer);
    const phase = this.phases[index];
    if (phase.name !== this.phase) {
      this.phase = phase.name;
      this.items.forEach((item, place) => item.toggleAttribute("aria-current", place === index));
      setText(this.text, phase.text);
      this.tell(phase.name);
    }
    if (index === this.phases.length - 1) return;
    const each = (1000 * this.seconds) / this.phases.length;
    const due = this.began + (index + 1) * each - performance.now();
    this.timer = setTimeout(() => this.#next(), Math.max(10, due));
  }

  #next() {
    const elapsed = (performance.now() - this.began) / 1000;
    this.#show(phaseAt(elapsed + 0.005, this.seconds, this.phases.length));
  }

  #stop() {
    clearTimeout(this.timer);
    if (this.phase !== null) this.tell(null);
    this.phase = null;
  }
}
