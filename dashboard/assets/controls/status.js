// The status below the stage: progress, measurements, the state of run and playback, error messages.

import { element, setText } from "../ui/dom.js";
import { frameSentence } from "../stage/theta-text.js";
import { correctCount, labelledCount, tenths } from "../ui/frame-text.js";
import { decimal, duration, integer, percent } from "../ui/number-text.js";
import {
  computationText,
  runTitle,
  thinningNote,
  UNRESPONSIVE,
  WAITS_FOR_CLUSTER,
} from "../ui/run-text.js";

/** @import { Frame, FrameInfo, Run } from "../protocol/types.js" */
/** @import { RunStore } from "../playback/run-store.js" */

// The last frame's age is shown from here on, in milliseconds.
const MIN_SHOWN_AGE = 3000;
// Milliseconds between two announcements of a playing run to a screen reader.
const ANNOUNCE_INTERVAL = 10_000;
// A paused frame is announced once it has been shown for so long, in milliseconds.
const ANNOUNCE_DELAY = 800;

/** @type {[name: string, title: string, hint?: string][]} */
const READOUT_FIELDS = [
  ["step", "Step"],
  ["accuracy", "Accuracy"],
  ["loss", "Loss"],
  ["right", "Probes right"],
  [
    "stillness",
    "Stillness",
    "How much the outputs move relative to the inputs: 0 is perfectly still, 1 is no better than " +
    "the input itself. Measured while the probes move.",
  ],
];

/** The counter of tenths, and the measurements beside it. */
export class Readout {
  constructor() {
    this.tenths = element("span.stn-tenths", {}, "0/10");
    this.epoch = element("span.stn-epoch", {}, "of epoch 1");
    /** @type {Record<string, HTMLElement>} */
    this.values = {};
    /** @type {Record<string, HTMLElement>} */
    this.fields = {};
    const list = element("dl.stn-measurements");
    for (const [name, title, hint = ""] of READOUT_FIELDS) {
      const value = (this.values[name] = element("dd", {}, "–"));
      const field = element(`div.stn-${name}`, { title: hint }, element("dt", {}, title), value);
      list.append(this.fields[name] = field);
    }
    this.announcedAt = 0;
    this.announcement = element("div.stn-visually-hidden", { aria: { live: "polite" } });
    const counter = element("div.stn-counter", {}, this.tenths, this.epoch);
    this.element = element("div.stn-readout", {}, counter, list, this.announcement);
  }

  /**
   * @param {Frame} frame
   * @param {Run | null} run
   * @param {boolean} isPlaying whether other frames follow
   */
  update(frame, run, isPlaying) {
    const { info } = frame;
    const total = run?.epochs ? ` of ${run.epochs}` : "";
    setText(this.tenths, tenths(info));
    setText(this.epoch, info.epoch === null ? "steps" : `of epoch ${info.epoch}${total}`);
    setText(this.values.step, integer(info.step));
    setText(this.values.accuracy, percent(info.accuracy));
    setText(this.values.loss, decimal(info.loss));
    setText(this.values.stillness, decimal(info.stillness, 2));
    const labelled = labelledCount(info);
    setText(this.values.right, labelled ? `${correctCount(info)}/${labelled}` : "–");
    this.#hideUnknown(info, Boolean(run?.watched));
    this.#announce(frame, isPlaying);
  }

  /**
   * Hide what a watched run does not measure, and its step where the counter has it.
   * @param {FrameInfo} info
   * @param {boolean} isWatched
   */
  #hideUnknown(info, isWatched) {
    this.fields.step.hidden = info.epoch === null;
    for (const name of /** @type {const} */ (["accuracy", "loss", "stillness"])) {
      this.fields[name].hidden = isWatched && typeof info[name] !== "number";
    }
    this.fields.right.hidden = isWatched && !labelledCount(info);
  }

  /**
   * Announce a paused frame soon, and a playing run at intervals.
   * @param {Frame} frame
   * @param {boolean} isPlaying
   */
  #announce(frame, isPlaying) {
    const delay = isPlaying ? this.announcedAt + ANNOUNCE_INTERVAL - Date.now() : ANNOUNCE_DELAY;
    clearTimeout(this.timer);
    this.timer = setTimeout(
      () => {
        this.announcedAt = Date.now();
        setText(this.announcement, frameSentence(frame));
      },
      Math.max(0, delay),
    );
  }
}

/** @typedef {{tone: "success" | "neutral" | "error", text: string}} Description */

/**
 * Describe what is shown now: live or not, and how old the last frame is.
 * @param {RunStore} store
 * @param {number} now milliseconds since 1970
 * @returns {Description}
 */
function describe(store, now) {
  const { run, player, lastReceived } = store;
  if (!run) return describeUnopened(store);
  if (run.deleted) return { tone: "error", text: "This run has been deleted" };
  if (store.disconnected) {
    return { tone: "error", text: `Connection lost, reconnecting${lastFrame(lastReceived, now)}` };
  }
  if (run.unresponsive) return { tone: "error", text: UNRESPONSIVE };
  if (store.isPlayingPlaceholder) {
    return { tone: "neutral", text: `Example: ${describeWithoutFrames(run)}` };
  }
  if (store.isPlayingLap) {
    return { tone: "neutral", text: "Closing lap: the input moves, the trained weights do not" };
  }
  if (player.mode !== "follow") {
    const replay = player.mode === "paused" ? "Paused replay" : "Replay";
    return { tone: "neutral", text: `${replay} of ${runWithStatus(run)}` };
  }
  if (!run.live) return { tone: "neutral", text: `Last frame of ${runWithStatus(run)}` };
  if (run.waits_for_cluster) return { tone: "neutral", text: `Live: ${WAITS_FOR_CLUSTER}` };
  if (!run.running) return { tone: "neutral", text: `Live: ${run.status}` };
  const isOld = lastReceived !== null && now - lastReceived > MIN_SHOWN_AGE;
  const nodeText = run.node ? ` on ${run.node}` : "";
  return {
    tone: "success",
    text: `Live: training${nodeText}${isOld ? lastFrame(lastReceived, now) : ""}`,
  };
}

/**
 * Return "a finished run", "an imported run".
 * @param {Run} run
 */
function runWithStatus(run) {
  const adjective = run.imported ? "imported" : run.status;
  return `${/^[aeiou]/.test(adjective) ? "an" : "a"} ${adjective} run`;
}

/** @param {Run} run */
function describeWithoutFrames(run) {
  if (run.running) return "this run starts soon";
  return run.live ? `this run is ${run.status}` : `this run is ${run.status}, without frames`;
}

/**
 * Return the last frame's age, on one line.
 * @param {number | null} received
 * @param {number} now
 */
function lastFrame(received, now) {
  if (received === null) return "";
  return `; last frame ${`${duration(now - received)} ago`.replaceAll(" ", "\u00a0")}`;
}

/**
 * @param {RunStore} store
 * @returns {Description}
 */
function describeUnopened({ problem, id, frame }) {
  if (problem) return { tone: "error", text: problem.message };
  if (id) return { tone: "neutral", text: "Opening …" };
  return { tone: "neutral", text: frame ? "Example: no run yet" : "No run yet" };
}

/** The lines that describe what is shown; and, apart from them, the error message. */
export class StatusLines {
  /** @param {RunStore} store */
  constructor(store) {
    this.store = store;
    /** @type {Error | null} */
    this.problem = null;
    this.problemState = ""; // of the run when the problem was set
    this.description = element("p.stn-state", { aria: { hidden: "true" } });
    this.announcement = element("p.stn-visually-hidden", { role: "status" });
    this.message = element("p.stn-message", { role: "alert" });
    this.skipped = element("span.stn-skipped", {
      title: "Frames that were not sent because this page was busy. All of them are recorded.",
    });
    this.thinned = element("span");
    this.link = element("a.stn-run-link");
    this.computation = element("span", {
      title: "What this run is computed on: the device, its precision, CPU threads.",
    });
    this.sweep = element("a.stn-sweep-link", { hidden: true }, "One run of a sweep");
    const details = [this.link, this.sweep, this.computation, this.skipped, this.thinned];
    const second = element("p.stn-status-details", {}, ...details);
    this.element = element("div.stn-status-lines", {}, this.description, this.announcement, second);
  }

  /**
   * Show an error until the run's status changes; null removes it.
   * @param {Error | null} problem
   */
  setProblem(problem) {
    this.problem = problem;
    this.problemState = this.#runState;
    this.update();
  }

  get #runState() {
    const { id, run } = this.store;
    return `${id} ${run?.status} ${run?.attempt}`;
  }

  /** Update the texts: on each change, and each second for the last frame's age. */
  update() {
    const { tone, text } = describe(this.store, Date.now());
    setText(this.description, text);
    // The age of the last frame, which changes each second, is not announced.
    setText(this.announcement, text.replace(/; last frame .*/, ""));
    this.description.dataset.tone = tone;
    const { skipped, run } = this.store;
    if (this.problemState !== this.#runState) this.problem = null;
    const problem = this.problem ?? (run ? this.store.problem : null);
    setText(this.message, problem?.message ?? run?.error ?? "");
    setText(
      this.skipped,
      skipped ? `${integer(skipped)} ${skipped === 1 ? "frame" : "frames"} skipped` : "",
    );
    const note = thinningNote(run?.thinned);
    setText(this.thinned, note?.short ?? "");
    this.thinned.title = note?.full ?? "";
    setText(this.computation, run && !run.deleted ? computationText(run) : "");
    this.#updateLink();
  }

  /** Link to the run, or from a missing or deleted one to the newest. */
  #updateLink() {
    const { run, problem } = this.store;
    const isMissing = run ? run.deleted : Boolean(problem);
    setText(this.link, isMissing ? "Show the newest run" : run ? runTitle(run) : "");
    this.link.classList.toggle("stn-newest-link", isMissing);
    this.sweep.hidden = !run?.sweep || isMissing;
    if (run?.sweep) this.sweep.href = `?tab=sweeps&sweep=${encodeURIComponent(run.sweep)}`;
    this.link.href = run && !isMissing ? `?run=${encodeURIComponent(run.id)}` : location.pathname;
  }
}
