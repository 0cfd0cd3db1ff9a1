// Below the stage: the controls of the training, and of what is looked at.

import { element, icon, ICONS } from "./dom.js";
import * as play from "./player.js";
import { ask, Switches } from "./settings.js";

const ACTIONS = {
  pause: ["Pause", ICONS.pause, "Pause training"],
  resume: ["Resume", ICONS.play, "Go on training"],
  step: ["Step", ICONS.step, "Train one step"],
  stop: ["Stop", ICONS.stop, "Stop training"],
};

/** Buttons and timeline. */
export class Transport {
  /** @param {(problem: Error | null) => void} say tells what a control was refused with */
  constructor(watch, say) {
    this.watch = watch;
    this.say = say;
    this.buttons = Object.fromEntries(
      Object.entries(ACTIONS).map(([action, words]) => [
        action,
        this.#actionButton(action, ...words),
      ]),
    );
    this.toggle = element("button.stn-button.stn-round", { type: "button" });
    this.toggle.onclick = () => watch.act(play.toggle);
    this.slider = element("input.stn-timeline", {
      type: "range",
      min: 0,
      max: 0,
      value: 0,
      step: 1,
    });
    this.slider.setAttribute("aria-label", "Step");
    this.slider.oninput = () => watch.act(play.seek, Number(this.slider.value));
    this.live = element("button.stn-button.stn-switch", { type: "button" }, "Follow live");
    this.live.setAttribute("role", "switch");
    this.live.onclick = () => this.#switchLive();
    const { pause, resume, step, stop } = this.buttons;
    const training = element("div.stn-training", { role: "group" }, pause, resume, step, stop);
    training.setAttribute("aria-label", "Training");
    this.switches = new Switches(watch, say);
    const time = element("div.stn-time", {}, this.toggle, this.slider, this.live);
    const acts = element("div.stn-acts", {}, training, this.switches.element);
    this.element = element("div.stn-transport", {}, time, acts);
  }

  #actionButton(action, label, path, title) {
    const button = element("button.stn-button", { type: "button", title }, icon(path), label);
    button.dataset.action = action;
    button.onclick = () => ask(this.watch, this.say, { action });
    return button;
  }

  #switchLive() {
    const following = this.watch.player.mode === "follow";
    this.watch.act(following ? play.toggle : play.newest);
  }

  /** Shows what may be done. */
  show() {
    const { watch } = this;
    const allowed = watch.run?.actions ?? [];
    for (const [action, button] of Object.entries(this.buttons)) {
      button.disabled = watch.lost || !allowed.includes(action);
    }
    // One place for the two that are never allowed together.
    this.buttons.resume.hidden = !allowed.includes("resume");
    this.buttons.pause.hidden = allowed.includes("resume");
    this.switches.show();
    this.showPlace();
  }

  /** Moves the timeline to what is looked at. */
  showPlace() {
    const { player } = this.watch;
    const { steps } = player;
    const moving = player.mode !== "hold";
    if (this.toggle.dataset.moving !== String(moving)) {
      this.toggle.dataset.moving = moving;
      this.toggle.replaceChildren(icon(moving ? ICONS.pause : ICONS.play));
      this.toggle.title = moving ? "Hold the picture (space)" : "Play (space)";
      this.toggle.setAttribute("aria-label", this.toggle.title);
    }
    this.slider.min = steps[0] ?? 0;
    this.slider.max = steps.at(-1) ?? 0;
    this.slider.value = player.at ?? 0;
    this.slider.disabled = steps.length < 2;
    const unit = this.watch.onLap ? "frame of the lap" : "step";
    this.slider.setAttribute("aria-valuetext", `${unit} ${player.at ?? 0}`);
    const done =
      (this.slider.value - this.slider.min) / Math.max(1, this.slider.max - this.slider.min);
    this.slider.style.setProperty("--stn-done", `${100 * done}%`);
    this.live.setAttribute("aria-checked", player.mode === "follow");
    this.live.disabled = !player.live;
  }
}

const KEYS = {
  " ": [play.toggle],
  ArrowLeft: [play.move, -1],
  ArrowRight: [play.move, 1],
  Home: [play.first],
  End: [play.newest],
};

// Where keys are typed or choose, and where space presses.
const TYPED =
  "input:not(.stn-timeline), textarea, select, [contenteditable], [role=tab], [role=option], " +
  "[role=radio], [role=combobox]";
const PRESSED = "button, summary, a";

/** Space, arrows, home and end act on what is looked at, unless they are meant for something else. */
export function onKey(watch, event) {
  const act = KEYS[event.key];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.composedPath()[0];
  if (target.closest?.(TYPED) || (event.key === " " && target.closest?.(PRESSED))) return;
  event.preventDefault();
  watch.act(...act);
}
