// Settings that can be changed while a run trains: moving probes and slow motion beside its controls,
// learning rates in a panel.

import { element, setText } from "../ui/dom.js";
import { viewerRefusal } from "../protocol/access.js";
import { withFieldTitles } from "../ui/run-text.js";

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

// The last request sent for each function that shows a problem: the response to an earlier one,
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
    this.moving.hidden = Boolean(store.run?.watched);
    this.moving.setAttribute("aria-checked", String(isMoving));
    this.moving.disabled = store.isPlayingPlaceholder || !(settings || store.hasLap);
    this.moving.title = settings
      ? "Move the probes while the network trains, to see how well its regions follow them"
      : store.hasLap
      ? "Play the closing lap: the probes move, the weights of the trained network do not"
      : refusal ?? "The probes do not move. A run records moving probes when it finishes.";
    this.slowMotion.value = String(nearestDuration(settings ? settings.slow_motion : 0));
    this.slowMotion.disabled = !settings;
    this.slowMotion.hidden = Boolean(store.run?.complete);
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

const RATES_NOTE =
  "Peak rates of the schedule. They can be changed while the run trains or is paused, from the next " +
  "step on.";
const FACTORS_NOTE =
  "What the learning rate of each parameter group is multiplied by, whatever its schedule is; 0 " +
  "freezes the group. They are changed at the next pause point.";

/** The learning rates of a run that is trained here, or the factors of those of a watched run. */
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
    this.rates = element("div.stn-fields.stn-rates");
    this.note = element("p.stn-muted");
    this.element = element(
      "details.stn-panel.stn-acting",
      {},
      element("summary.stn-summary", {}, "Learning rates"),
      this.rates,
      this.note,
      this.state,
    );
  }

  /**
   * @param {string} name
   * @param {HTMLInputElement} field
   */
  async #change(name, field) {
    if (field.value) {
      const value = Number(field.value);
      const isFactor = Boolean(this.store.run?.watched);
      const request = isFactor ? { rate_factors: { [name]: value } } : { [name]: value };
      await sendControl(this.store, this.setProblem, request);
    }
    this.update();
  }

  /**
   * Make one field for each rate, unless they are there.
   * @param {Record<string, string>} titles of the rates, by name
   */
  #renderFields(titles) {
    if (Object.keys(titles).join("\n") === Object.keys(this.fields).join("\n")) return;
    this.fields = {};
    const labels = Object.entries(titles).map(([name, title]) => {
      const field = element("input", { type: "number", min: 0, step: "any" });
      field.onchange = () => this.#change(name, field);
      this.fields[name] = field;
      return element("label.stn-field", {}, element("span", {}, title), field);
    });
    this.rates.replaceChildren(...labels);
  }

  update() {
    const isChangeable = changeableSettings(this.store) !== null;
    const { run } = this.store;
    /** @type {Record<string, number> | undefined} */
    const factors = run?.watched ? run.settings?.rate_factors ?? {} : undefined;
    const titles = factors
      ? Object.fromEntries(Object.keys(factors).map((name) => [name, `\u00d7 ${name}`]))
      : RATES;
    this.element.hidden = !Object.keys(titles).length;
    this.#renderFields(titles);
    setText(this.note, factors ? FACTORS_NOTE : RATES_NOTE);
    const values = factors ?? run?.settings;
    for (const [name, field] of Object.entries(this.fields)) {
      field.disabled = !isChangeable;
      if (values && document.activeElement !== field) field.value = String(values[name]);
    }
  }
}
