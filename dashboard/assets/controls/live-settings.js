// What can be changed while a run trains: switches beside its controls, learning rates in a panel.

import { element, setText } from "../ui/dom.js";
import { withFieldTitles } from "../ui/text.js";

// Seconds that a step is drawn out to, and what that is called.
const PACES = {
  0: "Full speed",
  0.5: "Slow: 2 steps a second",
  3: "Slow: a step in 3 s",
  8: "Slow: a step in 8 s",
};

const RATES = {
  learning_rate: "Learning rate",
  localisation_learning_rate: "Localisation rate",
};

const STANDING = "The probes stand still. Their lap comes when the run finishes.";

/** Asks the run that is watched for a change; what it is refused with is told to `say`. */
export async function ask(watch, say, request) {
  try {
    await watch.control(request);
    say(null);
  } catch (problem) {
    say(problem);
  }
}

const changeable = ({ run, lost }) =>
  Boolean(!lost && run?.owned && ["running", "paused"].includes(run.status));

/** The switches. */
export class Switches {
  constructor(watch, say) {
    this.watch = watch;
    this.moving = switchButton("Moving probes", () => this.#move());
    const paces = Object.entries(PACES).map(([seconds, text]) =>
      element("option", { value: seconds }, text)
    );
    this.pace = element("select.stn-entry", { aria: { label: "Speed of training" } }, ...paces);
    this.pace.onchange = () => ask(watch, say, { slow_motion: Number(this.pace.value) });
    this.say = say;
    this.element = element("div.stn-switches", {}, this.moving, this.pace);
  }

  // Of a run that trains, the probes are made to move; of one that has ended, its lap is played.
  #move() {
    const { watch } = this;
    if (!changeable(watch)) watch.playLap(!watch.onLap);
    else ask(watch, this.say, { moving: !watch.run.settings.moving });
  }

  show() {
    const { watch } = this;
    const live = changeable(watch);
    const moving = live ? watch.run.settings.moving : watch.onLap;
    this.moving.setAttribute("aria-checked", moving);
    this.moving.disabled = watch.waiting || !(live || watch.hasLap);
    this.moving.title = live
      ? "Let the watched images jump about while the network trains"
      : watch.hasLap
      ? "Let the watched images jump about once round; the trained network stands still"
      : STANDING;
    this.pace.value = nearest(live ? watch.run.settings.slow_motion : 0);
    this.pace.disabled = !live;
    this.pace.title = "Draw each step out, to see what happens within it";
  }
}

// The pace that is offered, for one that another program may have set.
function nearest(seconds) {
  const paces = Object.keys(PACES).map(Number);
  return paces.reduce((best, pace) =>
    Math.abs(pace - seconds) < Math.abs(best - seconds) ? pace : best
  );
}

/** The panel of learning rates. */
export class RatesPanel {
  constructor(watch) {
    this.watch = watch;
    this.state = element("span.stn-gif-state", { role: "status" });
    this.fields = {};
    const labels = Object.entries(RATES).map(([name, title]) => {
      const field = element("input", { type: "number", min: 0, max: 1, step: "any" });
      field.onchange = () => this.#change(name, field);
      this.fields[name] = field;
      return element("label.stn-field", {}, element("span", {}, title), field);
    });
    const note = element(
      "p.stn-quiet",
      {},
      "Peak rates of the schedule, from the next step on, while the run trains or is paused.",
    );
    this.element = element(
      "details.stn-panel",
      {},
      element("summary.stn-summary", {}, "Change its learning rates"),
      element("div.stn-fields.stn-rates", {}, ...labels),
      note,
      this.state,
    );
  }

  async #change(name, field) {
    if (!field.value) return this.show();
    const say = (problem) =>
      setText(this.state, problem ? withFieldTitles(problem.message, RATES) : "");
    await ask(this.watch, say, { [name]: Number(field.value) });
    this.show();
  }

  show() {
    const { run } = this.watch;
    const live = changeable(this.watch);
    for (const [name, field] of Object.entries(this.fields)) {
      field.disabled = !live;
      if (run?.settings && document.activeElement !== field) field.value = run.settings[name];
    }
  }
}

function switchButton(title, onclick) {
  const button = element("button.stn-button.stn-switch", { type: "button", onclick }, title);
  button.setAttribute("role", "switch");
  return button;
}
