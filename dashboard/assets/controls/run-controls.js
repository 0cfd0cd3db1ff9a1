// The controls of the training, and the keys.

import { element, icon, ICONS } from "../ui/dom.js";
import { ask, Switches } from "./live-settings.js";

const ACTIONS = {
  pause: ["Pause", ICONS.pause, "Pause training (p)"],
  resume: ["Resume", ICONS.play, "Go on training (p)"],
  step: ["Step", ICONS.step, "Train one step (s)"],
  stop: ["Stop", ICONS.stop, "Stop training"],
};

/** Buttons and switches that act on the run. */
export class Transport {
  /**
   * @param {(problem: Error | null) => void} say tells what a control was refused with
   * @param {(id: string) => void} open called with a run that was started anew
   */
  constructor(watch, say, open) {
    this.watch = watch;
    this.say = say;
    this.open = open;
    this.asking = new Set(); // actions that have yet to be answered
    this.buttons = Object.fromEntries(
      Object.entries(ACTIONS).map(([action, words]) => [
        action,
        this.#actionButton(action, ...words),
      ]),
    );
    const { pause, resume, step, stop } = this.buttons;
    const training = element("div.stn-training", { role: "group" }, pause, resume, step, stop);
    training.setAttribute("aria-label", "Training");
    this.switches = new Switches(watch, say);
    this.again = this.#startButton("Start again", "Start anew, with the same seed", (seed) => seed);
    const unused = (seed) => this.#unused(seed);
    this.other = this.#startButton("New seed", "Start anew, with a seed that no run has", unused);
    const anew = element("div.stn-training", { role: "group" }, this.again, this.other);
    anew.setAttribute("aria-label", "Start anew");
    this.element = element("div.stn-acts", {}, training, this.switches.element, anew);
  }

  #startButton(label, title, seedOf) {
    const button = element("button.stn-button", { type: "button", title }, label);
    button.onclick = () => this.#startAnew(seedOf);
    return button;
  }

  // A run that is being trained makes room; what it has recorded stays.
  async #startAnew(seedOf) {
    const { api, run } = this.watch;
    this.starting = true;
    this.show();
    try {
      const config = { ...run.config, seed: await seedOf(run.config.seed) };
      if (run.can?.includes("stop")) await api.control(run.id, { action: "stop" });
      const started = await api.start(config);
      this.say(null);
      this.open(started.id);
    } catch (problem) {
      this.say(problem);
    }
    this.starting = false;
    this.show();
  }

  // The next seed that no run has.
  async #unused(seed) {
    const used = new Set((await this.watch.api.runs()).map(({ config }) => config.seed));
    do seed = (seed + 1) % 2 ** 31; while (used.has(seed));
    return seed;
  }

  #actionButton(action, label, path, title) {
    const button = element("button.stn-button", { type: "button", title }, icon(path), label);
    button.dataset.action = action;
    button.onclick = () => this.act(action);
    return button;
  }

  /** Asks for an action, where it is allowed. */
  async act(...actions) {
    const allowed = this.watch.lost ? [] : (this.watch.run?.can ?? []);
    const action = actions.find((each) => allowed.includes(each));
    // Pressed twice, it is asked for once; another may be asked for before the answer is there.
    if (!action || this.asking.has(action)) return;
    this.asking.add(action);
    await ask(this.watch, this.say, { action });
    this.asking.delete(action);
  }

  /** Shows what may be done. */
  show() {
    const { watch } = this;
    const allowed = watch.run?.can ?? [];
    for (const [action, button] of Object.entries(this.buttons)) {
      button.disabled = watch.lost || !allowed.includes(action);
    }
    // One place for the two that are never allowed together.
    this.buttons.resume.hidden = !allowed.includes("resume");
    this.buttons.pause.hidden = allowed.includes("resume");
    this.switches.show();
    this.again.disabled = this.other.disabled = this.starting || watch.lost || !watch.run?.config;
  }
}
