// Settings that can be changed while a run trains: moving probes and slow motion beside its controls,
// learning rates in a panel.

import { element, setText } from "../ui/dom.js";
import { viewerRefusal } from "../protocol/access.js";
import { withFieldTitles } from "../ui/text.js";

/** @import { RunStore } from "../playback/run-store.js" */

// Seconds for each step, and their titles.
/** @type {Record<number, string>} */
const STEP_DURATIONS = {
  0: "Full speed",
  0.5: "Slow: 2 steps per second",
  3: "Slow: a step in 3 s",
  8: "Slow: a step in 8 s",
};

/** @type {Record<string, string>} */
const RATES = {
  learning_rate: "Learning rate",
  localisation_learning_rate: "Localisation learning rate",
};

// The last request sent for each function that shows a problem: the answer to an earlier one,
// which may come later, does not show or clear anything.
/** @type {WeakMap<(problem: Error | null) => void, object>} */
const lastRequests = new WeakMap();

/**
 * Send a request to change the run, and show why it is refused.
 * @param {RunStore} store
 * @param {(problem: Error | null) => void} setProblem
 * @param {object} request
 */
export async function sendControl(store, setProblem, request) {
  lastRequests.set(setProblem, request);
  /** @type {Error | null} */
  let refusal = null;
  try {
    await store.control(request);
  } catch (problem) {
    refusal = /** @type {Error} */ (problem);
  }
  if (lastRequests.get(setProblem) === request) setProblem(refusal);
}

/**
 * Return the run's live settings while they can be changed; otherwise null.
 * @param {RunStore} store
 */
const changeableSettings = ({ run, disconnected }) =>
  !disconnected && run?.can.includes("change") ? (run.settings ?? null) : null;

/** The switch for moving probes, and the choice of slow motion. */
export class LiveSettings {
  /**
   * @param {RunStore} store
   * @param {(problem: Error | null) => void} setProblem
   */
  constructor(store, setProblem) {
    this.store = store;
    this.setProblem = setProblem;
    this.moving = element("button.stn-button.stn-switch", { type: "button" }, "Moving probes");
    this.moving.setAttribute("role", "switch");
    this.moving.onclick = () => this.#toggleMoving();
    const durations = Object.entries(STEP_DURATIONS).map(([seconds, text]) =>
      element("option", { value: seconds }, text)
    );
    this.slowMotion = element(
      "select.stn-entry.stn-acting",
      { aria: { label: "Speed of training" } },
      ...durations,
    );
    this.slowMotion.title = "Slow the training down, to see what happens within each step";
    this.slowMotion.onchange = () =>
      sendControl(store, setProblem, { slow_motion: Number(this.slowMotion.value) });
    this.element = element("div.stn-switches", {}, this.moving, this.slowMotion);
  }

  /** Make the probes of a run that trains move; of one that has ended, play the closing lap. */
  #toggleMoving() {
    const { store } = this;
    const settings = changeableSettings(store);
    if (!settings) store.playLap(!store.isPlayingLap);
    else sendControl(store, this.setProblem, { moving: !settings.moving });
  }

  update() {
    const { store } = this;
    const settings = changeableSettings(store);
    const isMoving = settings ? settings.moving : store.isPlayingLap;
    const refusal = store.run?.live ? viewerRefusal() : null;
    this.moving.setAttribute("aria-checked", String(isMoving));
    this.moving.disabled = store.isPlayingPlaceholder || !(settings || store.hasLap);
    this.moving.title = settings
      ? "Move the probes while the network trains, to see how well its regions follow them"
      : store.hasLap
      ? "Play the closing lap: the probes move, the weights of the trained network do not"
      : refusal ?? "The probes do not move. A run records moving probes when it finishes.";
    this.slowMotion.value = String(nearestDuration(settings ? settings.slow_motion : 0));
    this.slowMotion.disabled = !settings;
  }
}

/**
 * Return the offered duration that is nearest to one that another program may have set.
 * @param {number} seconds
 */
function nearestDuration(seconds) {
  const durations = Object.keys(STEP_DURATIONS).map(Number);
  return durations.reduce((best, each) =>
    Math.abs(each - seconds) < Math.abs(best - seconds) ? each : best
  );
}

export class LearningRatesPanel {
  /** @param {RunStore} store */
  constructor(store) {
    this.store = store;
    this.state = element("span.stn-panel-state", { role: "status" });
    /** @param {Error | null} problem */
    this.setProblem = (problem) =>
      setText(this.state, problem ? withFieldTitles(problem.message, RATES) : "");
    /** @type {Record<string, HTMLInputElement>} */
    this.fields = {};
    const labels = Object.entries(RATES).map(([name, title]) => {
      const field = element("input", { type: "number", min: 0, max: 1, step: "any" });
      field.onchange = () => this.#change(name, field);
      this.fields[name] = field;
      return element("label.stn-field", {}, element("span", {}, title), field);
    });
    const note = element(
      "p.stn-muted",
      {},
      "Peak rates of the schedule. They can be changed while the run trains or is paused, from the " +
        "next step on.",
    );
    this.element = element(
      "details.stn-panel.stn-acting",
      {},
      element("summary.stn-summary", {}, "Learning rates"),
      element("div.stn-fields.stn-rates", {}, ...labels),
      note,
      this.state,
    );
  }

  /**
   * @param {string} name
   * @param {HTMLInputElement} field
   */
  async #change(name, field) {
    if (field.value) {
      await sendControl(this.store, this.setProblem, { [name]: Number(field.value) });
    }
    this.update();
  }

  update() {
    const isChangeable = changeableSettings(this.store) !== null;
    const settings = this.store.run?.settings;
    this.element.hidden = Boolean(this.store.run?.watched);
    for (const [name, field] of Object.entries(this.fields)) {
      field.disabled = !isChangeable;
      if (settings && document.activeElement !== field) field.value = settings[name];
    }
  }
}
