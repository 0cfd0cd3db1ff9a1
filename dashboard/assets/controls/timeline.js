// The timeline: all recorded steps, the one looked at, how fast they are played and whether the
// newest is followed.

import { element, icon, ICONS } from "../ui/dom.js";
import { collapseMarks, epochMarks } from "./timeline-marks.js";
import * as play from "../run/player.js";
import { SPEEDS } from "../ui/view-state.js";

const NAMES = { 0.1: "1/10", 0.25: "1/4", 0.5: "1/2" };
// Milliseconds between two drawings of marks.
const MARK_EVERY = 500;

export class Timeline {
  /** @param {(speed: number) => void} hasten called with a speed that was chosen */
  constructor(watch, hasten) {
    this.watch = watch;
    this.toggle = element("button.stn-button.stn-round", { type: "button" });
    this.toggle.onclick = () => watch.act(play.toggle);
    const range = { type: "range", min: 0, max: 0, value: 0, step: 1 };
    this.slider = element("input.stn-timeline", { ...range, aria: { label: "Step shown" } });
    this.slider.oninput = () => watch.act(play.seek, Number(this.slider.value));
    this.marks = element("div.stn-marks", { aria: { hidden: "true" } });
    this.marked = "";
    this.element = element(
      "div.stn-time",
      {},
      this.toggle,
      element("div.stn-track", {}, this.slider, this.marks),
      this.#goTo(),
      this.#speeds(hasten),
      this.#follow(),
    );
  }

  #goTo() {
    const number = { type: "text", inputMode: "numeric", placeholder: "Go to step", size: 9 };
    this.go = element("input.stn-entry", { ...number, aria: { label: "Go to step" } });
    const form = element("form.stn-go", { noValidate: true }, this.go);
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = this.go.value.replace(/\s/g, "");
      const known = /^\d+$/.test(text);
      this.go.setCustomValidity(known || !text ? "" : "A step is a whole number.");
      if (!this.go.reportValidity() || !text) return;
      this.go.value = "";
      // So that keys act on the step again.
      this.go.blur();
      this.watch.goTo(Number(text));
    };
    this.go.oninput = () => this.go.setCustomValidity("");
    return form;
  }

  #speeds(hasten) {
    const options = SPEEDS.map((speed) =>
      element("option", { value: speed }, `Speed ${NAMES[speed] ?? speed}×`)
    );
    this.speed = element("select.stn-entry", { title: "Speed of a replay" }, ...options);
    this.speed.setAttribute("aria-label", "Speed of a replay");
    this.speed.onchange = () => hasten(Number(this.speed.value));
    return this.speed;
  }

  #follow() {
    const { watch } = this;
    this.live = element("button.stn-button.stn-switch", { type: "button" }, "Follow live");
    this.live.setAttribute("role", "switch");
    this.live.onclick = () => {
      const following = watch.player.mode === "follow";
      watch.act(following ? play.toggle : play.newest);
    };
    return this.live;
  }

  /** Shows what is looked at, and how. */
  show() {
    const { player, onLap, speed } = this.watch;
    const { steps } = player;
    const moving = player.mode !== "hold";
    if (this.toggle.dataset.moving !== String(moving)) {
      this.toggle.dataset.moving = moving;
      this.toggle.replaceChildren(icon(moving ? ICONS.pause : ICONS.play));
      this.toggle.title = moving ? "Hold the picture (space)" : "Play (space)";
      this.toggle.setAttribute("aria-label", this.toggle.title);
    }
    const [first, last, at] = [steps[0] ?? 0, steps.at(-1) ?? 0, player.at ?? 0];
    Object.assign(this.slider, { min: first, max: last, value: at, disabled: steps.length < 2 });
    this.slider.setAttribute("aria-valuetext", `${onLap ? "frame of the lap" : "step"} ${at}`);
    const done = (at - first) / Math.max(1, last - first);
    this.slider.style.setProperty("--stn-done", `${100 * done}%`);
    this.speed.value = speed;
    this.go.disabled = this.slider.disabled;
    // Of a run that is not there nothing can be followed.
    const nothing = !this.watch.reel?.player.steps.length && !this.watch.run;
    this.toggle.disabled = nothing;
    this.live.setAttribute("aria-checked", player.mode === "follow" && !nothing);
    this.live.disabled = !player.live || nothing;
    this.marking ??= setTimeout(
      () => this.#mark(),
      Math.max(0, (this.drawn ?? 0) + MARK_EVERY - Date.now()),
    );
  }

  // Epochs' ends as ticks, and stretches where regions had collapsed as bars.
  #mark() {
    this.marking = null;
    this.drawn = Date.now();
    const { reel, run, onLap, waiting, player } = this.watch;
    const range = [player.steps[0] ?? 0, player.steps.at(-1) ?? 0];
    const known = reel && !onLap;
    const epochs = known && !waiting ? epochMarks(range, run?.steps_per_epoch) : [];
    const [from, to] = range;
    const collapses = known
      ? collapseMarks(range, reel.series.points("collapsed", { from, to, limit: 400 }))
      : [];
    const text = JSON.stringify([epochs, collapses]);
    if (text === this.marked) return;
    this.marked = text;
    this.slider.setAttribute("aria-description", described(range, epochs, collapses));
    this.marks.replaceChildren(...epochs.map(tick), ...collapses.map(bar));
  }
}

// The marks in words.
function described([first, last], epochs, collapses) {
  const step = (share) => Math.round(first + share * (last - first));
  const parts = collapses.map(({ from, to }) => `${step(from)} to ${step(to)}`);
  const collapsed = parts.length
    ? ` At least half of the regions had collapsed in steps ${parts.join(", ")}.`
    : "";
  return `${epochs.length} ends of epochs are marked.${collapsed}`;
}

function tick({ share, epoch }) {
  const made = element("span.stn-tick", { title: `End of epoch ${epoch}` });
  made.style.left = `${100 * share}%`;
  return made;
}

function bar({ from, to }) {
  const made = element("span.stn-collapse", { title: "At least half of the regions collapsed" });
  made.style.left = `${100 * from}%`;
  made.style.width = `${100 * (to - from)}%`;
  return made;
}
