// Below the stage, in words and figures: how far training is, what is seen, what went wrong.

import { element, setText } from "../ui/dom.js";
import { frameSentence } from "../stage/theta-text.js";
import {
  correctCount,
  decimal,
  integer,
  isLive,
  labelledCount,
  percent,
  runTitle,
  span,
  statusWords,
  tenths,
  thinningNote,
} from "../ui/text.js";

// An age below this is no news.
const FRESH = 3000;
const ANNOUNCE_EVERY = 10_000;
// What stands is announced once it has stood for so long.
const STOOD = 800;

/** The counter of tenths and the figures beside it. */
export class Readout {
  constructor() {
    this.tenths = element("span.stn-tenths", {}, "0/10");
    this.epoch = element("span.stn-epoch", {}, "of epoch 1");
    this.figures = {};
    const list = element("dl.stn-figures");
    for (const [name, title, hint = ""] of FIGURES) {
      this.figures[name] = element("dd", {}, "–");
      list.append(
        element(`div.stn-${name}`, { title: hint }, element("dt", {}, title), this.figures[name]),
      );
    }
    this.announced = 0;
    this.aloud = element("div.stn-unseen", { aria: { live: "polite" } });
    const counter = element("div.stn-counter", {}, this.tenths, this.epoch);
    this.element = element("div.stn-readout", {}, counter, list, this.aloud);
  }

  /** @param {boolean} moving whether other frames follow by themselves */
  show(frame, run, moving) {
    const { info } = frame;
    const epochs = run?.epochs ? ` of ${run.epochs}` : "";
    setText(this.tenths, tenths(info));
    setText(this.epoch, `of epoch ${info.epoch}${epochs}`);
    setText(this.figures.step, integer(info.step));
    setText(this.figures.accuracy, percent(info.accuracy));
    setText(this.figures.loss, decimal(info.loss));
    setText(this.figures.stillness, decimal(info.stillness, 2));
    setText(this.figures.right, `${correctCount(info)}/${labelledCount(info)}`);
    this.#announce(frame, moving);
  }

  // Of what moves no more than can be listened to; of what stands, all.
  #announce(frame, moving) {
    const now = Date.now();
    const due = moving ? this.announced + ANNOUNCE_EVERY - now : STOOD;
    clearTimeout(this.announcing);
    this.announcing = setTimeout(
      () => {
        this.announced = Date.now();
        setText(this.aloud, frameSentence(frame));
      },
      Math.max(0, due),
    );
  }
}

const FIGURES = [
  ["step", "Step"],
  ["accuracy", "Accuracy"],
  ["loss", "Loss"],
  ["right", "Probes right"],
  [
    "stillness",
    "Stillness",
    "How much the outputs move for how much the inputs do: 0 stands still, 1 is no better than " +
    "the input itself. Told while the probes move.",
  ],
];

/** What is seen just now, in words: of which run, how live, how old. */
function situation(watch, now) {
  const { run, player } = watch;
  if (!run) return unopened(watch);
  const status = statusWords(run.status) + (run.imported ? "; came from a file" : "");
  if (run.status === "deleted") return { tone: "bad", text: "This run has been deleted" };
  if (watch.lost) {
    const age = watch.heard ? `; the last frame came ${ago(now - watch.heard)}` : "";
    return { tone: "bad", text: `Connection lost, trying again${age}` };
  }
  if (watch.waiting) {
    return {
      tone: "quiet",
      text: `Another run, recorded earlier; this one: ${unseen(run, status)}`,
    };
  }
  if (watch.onLap) {
    return { tone: "quiet", text: "The input moves, the trained network stands still" };
  }
  if (player.mode !== "follow") {
    return { tone: "quiet", text: `${player.mode === "hold" ? "Held here" : "Replay"}; ${status}` };
  }
  if (run.status !== "running") return { tone: "quiet", text: `Following; ${status}` };
  const age = watch.heard ? now - watch.heard : 0;
  const old = age > FRESH ? `; the last frame came ${ago(age)}` : "";
  return { tone: "good", text: `Live; ${status}${old}` };
}

// What a run is at that has nothing to show.
function unseen(run, status) {
  if (run.status === "running") return "training begins soon";
  return isLive(run.status) ? status : `${status}, with nothing recorded`;
}

// On one line.
const ago = (milliseconds) => `${span(milliseconds)} ago`.replaceAll(" ", "\u00a0");

function unopened({ problem, id, shown }) {
  if (problem) return { tone: "bad", text: problem.message };
  if (id) return { tone: "quiet", text: "Opening …" };
  return { tone: "quiet", text: shown ? "Recorded earlier; no run yet" : "No run yet" };
}

/** The lines that say what is going on; and, apart from them, the one that says what went wrong. */
export class Situation {
  constructor(watch) {
    this.watch = watch;
    this.state = element("p.stn-state", { aria: { hidden: "true" } });
    this.aloud = element("p.stn-unseen", { role: "status" });
    this.message = element("p.stn-message", { role: "alert" });
    this.skipped = element("span.stn-skipped", {
      title: "Frames that this page was too busy for. All are recorded.",
    });
    this.thinned = element("span.stn-thinned");
    this.link = element("a.stn-run-link");
    const second = element("p.stn-second", {}, this.link, this.skipped, this.thinned);
    this.element = element("div.stn-situation", {}, this.state, this.aloud, second);
  }

  /** Tells what went wrong, until it is told that it is well again or the run has gone on. */
  say(problem) {
    this.problem = problem;
    this.saidOf = this.#stateOfRun;
    this.show();
  }

  get #stateOfRun() {
    const { id, run } = this.watch;
    return `${id} ${run?.status} ${run?.attempt}`;
  }

  /** Cheap; called on each change and each second. */
  show() {
    const { tone, text } = situation(this.watch, Date.now());
    setText(this.state, text);
    // How old the last frame is changes with every second.
    setText(this.aloud, text.replace(/; the last frame came .*/, ""));
    this.state.dataset.tone = tone;
    const { skipped, run } = this.watch;
    if (this.saidOf !== this.#stateOfRun) this.problem = null;
    const problem = this.problem ?? (run ? this.watch.problem : null);
    setText(this.message, problem?.message ?? run?.error ?? "");
    setText(
      this.skipped,
      skipped ? `${integer(skipped)} ${skipped === 1 ? "frame" : "frames"} skipped` : "",
    );
    const thinned = thinningNote(run?.thinned);
    setText(this.thinned, thinned?.short ?? "");
    this.thinned.title = thinned?.full ?? "";
    // A run that is not there, or no more, is no dead end.
    const gone = run ? run.status === "deleted" : Boolean(this.watch.problem);
    const instead = gone ? "Show the newest run instead" : "";
    setText(this.link, instead || (run ? runTitle(run) : ""));
    this.link.classList.toggle("stn-instead", gone);
    this.link.href = run && !gone ? `?run=${encodeURIComponent(run.id)}` : location.pathname;
  }
}
