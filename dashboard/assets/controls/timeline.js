// The timeline: all recorded steps and the current one, the speed of a replay, and whether the newest
// frame is followed.

import { collapseMarks, epochMarks } from "./timeline-marks.js";
import { element, icon, ICONS } from "../ui/dom.js";
import { goToLast, seek, togglePlay } from "../playback/player.js";
import { SPEEDS } from "../ui/view-state.js";

/** @import { CollapseMark, EpochMark } from "./timeline-marks.js" */
/** @import { RunStore } from "../playback/run-store.js" */

/** @type {Record<number, string>} */
const SPEED_TITLES = { 0.1: "1/10", 0.25: "1/4", 0.5: "1/2" };
const MARKS_INTERVAL_MILLISECONDS = 500;
const MAX_COLLAPSE_POINTS = 400;

export class Timeline {
  /**
   * @param {RunStore} store
   * @param {(speed: number) => void} setSpeed
   */
  constructor(store, setSpeed) {
    this.store = store;
    this.toggle = element("button.stn-button.stn-icon-button", { type: "button" });
    this.toggle.onclick = () => store.updatePlayer(togglePlay);
    const range = { type: "range", min: 0, max: 0, value: 0, step: 1 };
    this.slider = element("input.stn-timeline", { ...range, aria: { label: "Current step" } });
    this.slider.oninput = () =>
      store.updatePlayer((player) => seek(player, Number(this.slider.value)));
    this.marks = element("div.stn-marks", { aria: { hidden: "true" } });
    this.drawnMarks = ""; // as JSON
    this.drawnAt = 0;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.marksTimer = null;
    const step = { type: "text", inputMode: "numeric", placeholder: "Go to step", size: 9 };
    this.stepField = element("input.stn-entry", { ...step, aria: { label: "Go to step" } });
    this.speed = this.#speedChoice(setSpeed);
    this.follow = element("button.stn-button.stn-switch", { type: "button" }, "Follow live");
    this.follow.title = "Show each new frame while the run trains, or pause at the current one";
    this.follow.setAttribute("role", "switch");
    this.follow.onclick = () => {
      const isFollowing = store.player.mode === "follow";
      store.updatePlayer(isFollowing ? togglePlay : goToLast);
    };
    this.element = element(
      "div.stn-timeline-controls",
      { role: "group", aria: { label: "Playback" } },
      element("span.stn-group-title", { aria: { hidden: "true" } }, "Playback"),
      this.toggle,
      element("div.stn-track", {}, this.slider, this.marks),
      this.#stepForm(),
      this.speed,
      this.follow,
    );
  }

  #stepForm() {
    const { stepField } = this;
    const form = element("form.stn-step-form", { noValidate: true }, stepField);
    form.onsubmit = (event) => {
      event.preventDefault();
      const text = stepField.value.replace(/\s/g, "");
      const isValid = /^\d*$/.test(text);
      stepField.setCustomValidity(isValid ? "" : "Enter a step as a whole number.");
      if (!stepField.reportValidity() || !text) return;
      stepField.value = "";
      // So that keyboard shortcuts work again.
      stepField.blur();
      this.store.seek(Number(text));
    };
    stepField.oninput = () => stepField.setCustomValidity("");
    return form;
  }

  /** @param {(speed: number) => void} setSpeed */
  #speedChoice(setSpeed) {
    const options = SPEEDS.map((speed) =>
      element("option", { value: speed }, `Speed ${SPEED_TITLES[speed] ?? speed}×`)
    );
    const choice = element("select.stn-entry", { title: "Speed of a replay" }, ...options);
    choice.setAttribute("aria-label", "Speed of a replay");
    choice.onchange = () => setSpeed(Number(choice.value));
    return choice;
  }

  update() {
    const { player, isPlayingLap, loop, playback, run } = this.store;
    const { steps } = player;
    this.#updateToggle(player.mode !== "paused");
    const [first, last, step] = [steps[0] ?? 0, steps.at(-1) ?? 0, player.step ?? 0];
    Object.assign(this.slider, { min: first, max: last, value: step, disabled: steps.length < 2 });
    this.slider.setAttribute(
      "aria-valuetext",
      `${isPlayingLap ? "frame of the lap" : "step"} ${step}`,
    );
    const fraction = (step - first) / Math.max(1, last - first);
    this.slider.style.setProperty("--stn-played", `${100 * fraction}%`);
    this.speed.value = String(loop.speed);
    this.stepField.disabled = this.slider.disabled;
    const isEmpty = !playback?.player.steps.length && !run;
    this.toggle.disabled = isEmpty;
    this.follow.setAttribute("aria-checked", String(player.mode === "follow" && !isEmpty));
    this.follow.disabled = !player.live || isEmpty;
    this.marksTimer ??= setTimeout(
      () => this.#updateMarks(),
      Math.max(0, this.drawnAt + MARKS_INTERVAL_MILLISECONDS - Date.now()),
    );
  }

  /** @param {boolean} isPlaying */
  #updateToggle(isPlaying) {
    if (this.toggle.dataset.playing === String(isPlaying)) return;
    this.toggle.dataset.playing = String(isPlaying);
    this.toggle.replaceChildren(icon(isPlaying ? ICONS.pause : ICONS.play));
    this.toggle.title = isPlaying ? "Pause at the current step (space)" : "Play (space)";
    this.toggle.setAttribute("aria-label", this.toggle.title);
  }

  /** Mark the ends of epochs with ticks, and intervals of collapsed regions with bars. */
  #updateMarks() {
    this.marksTimer = null;
    this.drawnAt = Date.now();
    const { playback, shownRun, isPlayingLap, player } = this.store;
    const [from, to] = [player.steps[0] ?? 0, player.steps.at(-1) ?? 0];
    const hasMarks = playback && !isPlayingLap;
    const epochs = hasMarks ? epochMarks([from, to], shownRun?.steps_per_epoch) : [];
    const collapses = hasMarks
      ? collapseMarks(
        [from, to],
        playback.metrics.points("collapsed", { from, to, limit: MAX_COLLAPSE_POINTS }),
      )
      : [];
    const text = JSON.stringify([epochs, collapses]);
    if (text === this.drawnMarks) return;
    this.drawnMarks = text;
    const hasEpochs = Boolean(shownRun?.steps_per_epoch);
    this.slider.setAttribute(
      "aria-description",
      describeMarks([from, to], hasEpochs ? epochs : null, collapses),
    );
    this.marks.replaceChildren(...epochs.map(epochTick), ...collapses.map(collapseBar));
  }
}

/**
 * @param {[number, number]} range first and last step
 * @param {EpochMark[] | null} epochs null if their length is unknown
 * @param {CollapseMark[]} collapses
 */
function describeMarks([first, last], epochs, collapses) {
  /** @param {number} fraction */
  const step = (fraction) => Math.round(first + fraction * (last - first));
  const intervals = collapses.map(({ from, to }) => `${step(from)} to ${step(to)}`);
  const collapsed = intervals.length
    ? `At least half of the regions had collapsed in steps ${intervals.join(", ")}.`
    : "";
  const ends = epochs ? `${epochs.length} ends of epochs are marked.` : "";
  return [ends, collapsed].filter(Boolean).join(" ");
}

/** @param {EpochMark} mark */
function epochTick({ fraction, epoch }) {
  const tick = element("span.stn-tick", { title: `End of epoch ${epoch}` });
  tick.style.left = `${100 * fraction}%`;
  return tick;
}

/** @param {CollapseMark} mark */
function collapseBar({ from, to }) {
  const bar = element("span.stn-collapse", { title: "At least half of the regions collapsed" });
  bar.style.left = `${100 * from}%`;
  bar.style.width = `${100 * (to - from)}%`;
  return bar;
}
