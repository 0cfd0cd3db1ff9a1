// Buttons that control the training of a run, and that start another one like it.

import { element, icon, ICONS, setText } from "../ui/dom.js";
import { LiveSettings, sendControl } from "./live-settings.js";
import { viewerRefusal } from "../protocol/access.js";
import { limitOf } from "../protocol/catalog.js";

/** @import { RunStore } from "../playback/run-store.js" */

/** @type {Record<string, {label: string, path: string, title: string}>} */
const TRAINING_ACTIONS = {
  pause: {
    label: "Pause",
    path: ICONS.pause,
    title: "Pause the training; it can be resumed (p)",
  },
  resume: { label: "Resume", path: ICONS.play, title: "Resume the training (p)" },
  step: {
    label: "Step",
    path: ICONS.step,
    title: "Train for one step, to see what a single step changes (s)",
  },
  stop: { label: "Stop", path: ICONS.stop, title: "Stop the training; the recording is kept" },
};

// In place of the buttons, of a run whose loop is a program of its own and has no pause point.
const WATCHED_NOTE = "This run is trained by a program of its own, which controls it. With " +
  "run.pause_point() in its loop it can be paused here.";

export class RunControls {
  /**
   * @param {RunStore} store
   * @param {(problem: Error | null) => void} setProblem called with why a request was refused
   * @param {(id: string) => void} open called with the id of a run that was started
   */
  constructor(store, setProblem, open) {
    this.store = store;
    this.setProblem = setProblem;
    this.open = open;
    /** @type {Set<string>} */
    this.pending = new Set(); // actions that the server has not responded to yet
    this.isStarting = false;
    /** @type {Record<string, HTMLButtonElement>} */
    this.buttons = {};
    for (const action of Object.keys(TRAINING_ACTIONS)) {
      this.buttons[action] = this.#actionButton(action);
    }
    const training = element(
      "div.stn-button-group.stn-acting",
      { role: "group", aria: { label: "Training" } },
      ...Object.values(this.buttons),
    );
    this.title = element(
      "span.stn-group-title.stn-acting",
      { aria: { hidden: "true" } },
      "Training",
    );
    this.settings = new LiveSettings(store, setProblem);
    this.restart = this.#startButton(
      "Restart",
      "Start a new run with the same configuration and seed, for example to repeat this one",
      (seed) => Promise.resolve(seed),
    );
    this.newSeed = this.#startButton(
      "New seed",
      "Start a new run with the same configuration and an unused seed, to see how much is chance",
      (seed) => this.#unusedSeed(seed),
    );
    const start = element(
      "div.stn-button-group.stn-acting",
      { role: "group" },
      this.restart,
      this.newSeed,
    );
    start.setAttribute("aria-label", "New run");
    this.refusal = element("p.stn-muted.stn-refusal"); // in place of the buttons
    this.note = element("p.stn-muted.stn-resume-note");
    const parts = [this.title, training, this.settings.element, start, this.refusal, this.note];
    this.element = element("div.stn-run-controls", {}, ...parts);
    this.training = [training, this.settings.element];
    this.start = start;
  }

  /**
   * @param {string} label
   * @param {string} title
   * @param {(seed: number) => Promise<number>} seedOf
   */
  #startButton(label, title, seedOf) {
    const button = element("button.stn-button", { type: "button", title }, label);
    button.onclick = () => this.#startRun(seedOf);
    return button;
  }

  /**
   * Start another run; this one is stopped if it trains, and its recording is kept.
   * @param {(seed: number) => Promise<number>} seedOf
   */
  async #startRun(seedOf) {
    const { api, run } = this.store;
    if (!run) return;
    this.isStarting = true;
    this.update();
    try {
      const config = { ...run.config, seed: await seedOf(run.config.seed) };
      if (run.can.includes("stop")) await api.control(run.id, { action: "stop" });
      const started = await api.startRun(config);
      this.setProblem(null);
      this.open(started.id);
    } catch (problem) {
      this.setProblem(/** @type {Error} */ (problem));
    }
    this.isStarting = false;
    this.update();
  }

  /**
   * Return the next seed that no run has.
   * @param {number} seed
   */
  async #unusedSeed(seed) {
    const used = new Set((await this.store.api.runs()).map(({ config }) => config?.seed));
    do seed = (seed + 1) % (limitOf("seed") + 1); while (used.has(seed));
    return seed;
  }

  /** @param {string} action */
  #actionButton(action) {
    const { label, path, title } = TRAINING_ACTIONS[action];
    const button = element("button.stn-button", { type: "button", title }, icon(path), label);
    button.dataset.action = action;
    button.onclick = () => this.send(action);
    return button;
  }

  /**
   * Send the first of these actions that the run allows.
   * @param {...string} actions
   */
  async send(...actions) {
    const { run, disconnected } = this.store;
    const allowed = disconnected ? [] : (run?.can ?? []);
    const action = actions.find((each) => allowed.includes(each));
    // A second press is ignored until the server has responded to the first.
    if (!action || this.pending.has(action)) return;
    this.pending.add(action);
    await sendControl(this.store, this.setProblem, { action });
    this.pending.delete(action);
  }

  /** Enable what the run allows. */
  update() {
    const { run, disconnected } = this.store;
    const allowed = run?.can ?? [];
    for (const [action, button] of Object.entries(this.buttons)) {
      button.disabled = disconnected || !allowed.includes(action);
    }
    // Pause and resume are never allowed together, and share one place.
    this.buttons.resume.hidden = !allowed.includes("resume");
    this.buttons.pause.hidden = allowed.includes("resume");
    this.settings.update();
    const isWatched = Boolean(run?.watched);
    // It ends where it was started.
    this.buttons.stop.hidden = this.start.hidden = isWatched;
    const hasNoPausePoint = isWatched && !run?.settings;
    // A run that has ended has no controls; one that was stopped can be resumed.
    const isOver = Boolean(run) &&
      !Object.keys(this.buttons).some((each) => allowed.includes(each));
    const [training, settings] = this.training;
    const isUncontrolled = hasNoPausePoint || (isWatched && !run?.live);
    training.hidden = isUncontrolled || isOver;
    // The closing lap of a run that has ended can be played.
    settings.hidden = isUncontrolled;
    this.title.hidden = training.hidden && settings.hidden && this.start.hidden;
    setText(this.refusal, viewerRefusal() ?? (hasNoPausePoint ? WATCHED_NOTE : ""));
    setText(this.note, run?.resume_note ?? "");
    this.restart.disabled = this.newSeed.disabled = this.isStarting || disconnected || !run?.config;
  }
}
