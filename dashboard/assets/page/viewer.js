// The viewer: stage, readout and controls on one side, charts on the other, joined to one watch.

import { asked, nameInAddress, visit } from "./url.js";
import { Beside, Difference } from "../runs/compare.js";
import { Charts } from "../charts/charts.js";
import { element, setText } from "../ui/dom.js";
import { fitViewer } from "./layout.js";
import { GifPanel } from "../controls/export-panel.js";
import { Joining } from "../controls/add-picture.js";
import { keysPanel, onKey } from "../controls/shortcuts.js";
import { Phases } from "../controls/step-phases.js";
import { Readout, Situation } from "../controls/status.js";
import { isBetter, newestOf } from "../run/run-list.js";
import { RatesPanel } from "../controls/live-settings.js";
import { RunStage } from "../stage/run-stage.js";
import { SightBar, sightKeys } from "../controls/view-toolbar.js";
import { Timeline } from "../controls/timeline.js";
import { Transport } from "../controls/run-controls.js";
import { readLap, readStep, readView } from "../ui/view-state.js";
import { Watch } from "../run/run-store.js";
import { legendText } from "../ui/text.js";

// Milliseconds until the address tells what is looked at.
const NAME_AFTER = 300;

export class Viewer {
  /**
   * @param {object} api the server's calls
   * @param {RunList} runs says which run is the newest where none is asked for
   * @param {(id: string) => void} open called with a run that was started here
   */
  constructor(api, runs, open) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.api = api;
    this.runs = runs;
    this.view = readView(asked());
    this.at = { step: readStep(asked()), lap: readLap(asked()) }; // what the page is opened at
    this.watch = new Watch(api, calm);
    const turn = (by) => this.#turn(by);
    const pick = (side) => (probe, byKey) => {
      this.change({ ...this.view, kind: "probe", probe });
      if (byKey) side().focus(probe);
    };
    this.side = new RunStage(this.watch, { turn, pick: pick(() => this.side) });
    const close = () => this.change({ ...this.view, compare: null });
    this.beside = new Beside(api, this.watch, calm, {
      turn,
      pick: pick(() => this.beside.side),
      close,
    });
    this.difference = new Difference({ by: (by) => this.change({ ...this.view, by }) });
    this.sights = new SightBar(
      () => this.view,
      (view) => this.change(view),
    );
    this.readout = new Readout();
    this.situation = new Situation(this.watch);
    this.timeline = new Timeline(this.watch, (speed) => this.change({ ...this.view, speed }));
    const say = (problem) => this.situation.say(problem);
    this.transport = new Transport(this.watch, say, open);
    this.joining = new Joining(this.watch, this.side.element, say);
    this.phases = new Phases((phase) => (this.side.element.dataset.phase = phase ?? ""));
    this.charts = new Charts((step) => this.watch.goTo(step));
    this.gif = new GifPanel(this.watch);
    this.rates = new RatesPanel(this.watch);
    this.element = this.#lay();
    this.#listen();
    this.change(this.view);
    this.#change();
  }

  /** Watches the run `id`, or without one whichever is the newest. */
  pin(id) {
    if (id !== this.pinned) {
      this.pinned = id;
      this.situation.say(null);
      if (id) this.#open(id);
      else this.#choose();
    }
    this.#nameSoon();
  }

  /** Watches the run `id`, as another place in the browser's history. */
  goTo(id) {
    if (id !== this.pinned) {
      this.#name();
      visit(id);
      this.pin(id);
    }
    this.reveal();
  }

  // Back to where one has been, or on again.
  #return() {
    clearTimeout(this.naming);
    this.naming = null;
    const query = asked();
    this.at = { step: readStep(query), lap: readLap(query) };
    this.change(readView(query));
    this.pinned = undefined;
    this.pin(query.get("run"));
  }

  #open(id) {
    // A run beside itself would tell nothing.
    if (this.view.compare === id) this.change({ ...this.view, compare: null });
    this.watch.open(id, this.at.step, this.at.lap);
    this.at = { step: null, lap: false };
  }

  /** Looks at the run in another way from now on. */
  change(view) {
    const focused = this.element.contains(document.activeElement);
    this.view = view;
    this.watch.speed = view.speed;
    this.side.setView(view);
    this.#compare(view);
    this.sights.show(this.#isPlain);
    this.timeline.show();
    this.resize();
    this.side.redraw();
    this.beside.side.redraw();
    // What had the focus may be gone.
    if (focused && !this.element.contains(document.activeElement)) this.side.focus(view.probe);
    this.#nameSoon();
  }

  /** Puts the run `id` beside the one that is looked at. */
  compare(id) {
    this.change({ ...this.view, compare: id });
    this.reveal();
  }

  /** Scrolls back to the stage, where the page has been scrolled past it. */
  reveal() {
    if (this.element.getBoundingClientRect().top < 0) this.element.scrollIntoView();
  }

  #compare(view) {
    const { beside, difference } = this;
    beside.by = view.by;
    beside.side.setView(view);
    beside.open(view.compare);
    beside.lead();
    const pair = Boolean(view.compare);
    difference.element.hidden = !pair;
    if (pair) this.runsShown.append(beside.side.element);
    else beside.side.element.remove();
    const [one, other] = [this.side.probes, beside.side.probes];
    one.alignWith(pair ? other : null);
    other.alignWith(pair ? one : null);
    this.element.classList.toggle("stn-comparing", pair);
    this.#showBeside();
  }

  // The other run's curves, and what differs.
  #showBeside() {
    const { beside, watch, view } = this;
    if (!view.compare) return this.charts.compare(null);
    const { own } = beside.watch;
    const info = beside.watch.shown?.info;
    if (own) this.charts.compare({ series: own.series, stretch: beside.stretch, info });
    this.difference.name([watch.run, beside.watch.run], view.by);
    const frames = [watch.shown, beside.watch.shown];
    if (frames.every(Boolean)) this.difference.show(...frames);
  }

  get #isPlain() {
    return this.watch.shown?.info.transformers.length === 0;
  }

  #turn(by) {
    const count = this.watch.shown?.tensors.input.shape[0] ?? 1;
    const probe = (Math.min(this.view.probe, count - 1) + by + count) % count;
    this.change({ ...this.view, probe });
  }

  /** Colours have changed. */
  theme() {
    this.charts.updateTheme();
  }

  #lay() {
    const told = element("div.stn-told", {}, this.readout.element, this.situation.element);
    this.controls = element(
      "div.stn-controls",
      {},
      told,
      this.difference.element,
      this.timeline.element,
      this.transport.element,
    );
    this.legend = element("p.stn-legend", {}, legendText());
    this.runsShown = element("div.stn-runs-shown", {}, this.side.element);
    const parts = [
      this.sights.element,
      this.runsShown,
      this.controls,
      // In the legend's place, so that it moves no control.
      this.situation.message,
      this.phases.element,
      this.legend,
    ];
    const stage = element("section.stn-side", { aria: { label: "Stage" } }, ...parts);
    const panels = element(
      "div.stn-panels",
      {},
      this.gif.element,
      this.rates.element,
      this.joining.element,
      keysPanel(),
    );
    return element("div.stn-viewer", {}, stage, this.charts.element, panels);
  }

  #listen() {
    const { watch } = this;
    watch.addEventListener("frame", ({ detail }) => this.#show(detail));
    watch.addEventListener("change", () => this.#change());
    watch.addEventListener("reel", () => this.charts.open(watch.reel.series, watch.run));
    watch.addEventListener("metrics", () => {
      this.charts.metricsChanged();
      this.timeline.show();
    });
    this.runs.addEventListener("change", () => this.#choose());
    this.beside.addEventListener("frame", () => this.#showBeside());
    this.beside.addEventListener("change", () => {
      if (this.beside.watch.run?.status === "deleted") this.change({ ...this.view, compare: null });
      else this.#showBeside();
    });
    this.beside.addEventListener("metrics", () => this.charts.metricsChanged());
    setInterval(() => this.situation.show(), 1000);
    const keys = {
      ...sightKeys(
        () => this.view,
        (view) => this.change(view),
      ),
      // Not of one that has ended: a key is pressed by mistake.
      p: () => this.transport.act("pause", ...(watch.run?.status === "paused" ? ["resume"] : [])),
      s: () => this.transport.act("step"),
      "[": () => this.#turn(-1),
      "]": () => this.#turn(1),
    };
    document.addEventListener("keydown", (event) => onKey(watch, keys, event));
    const resize = () => this.resize();
    new ResizeObserver(resize).observe(this.element);
    addEventListener("resize", resize);
    addEventListener("popstate", () => this.#return());
  }

  #show({ frame, past }) {
    this.side.draw(frame, past);
    this.beside.lead();
    if (this.view.compare) this.#showBeside();
    const legend = legendText(frame.info);
    if (legend !== this.legend.textContent) {
      setText(this.legend, legend);
      this.sights.show(this.#isPlain);
    }
    const { mode } = this.watch.player;
    this.readout.show(frame, this.watch.runShown, mode !== "hold");
    this.timeline.show();
    this.charts.moveCursor(frame.info);
    this.element.dataset.run = this.watch.reel.recording.id;
    // For whoever measures: `time` is when the step was done, in seconds since 1970.
    const seen = { step: frame.info.step, time: frame.info.time, mode };
    this.element.dispatchEvent(new CustomEvent("stnscope:paint", { bubbles: true, detail: seen }));
    this.charts.stagePainted();
    this.phases.begin();
    if (mode === "hold") this.#nameSoon();
  }

  #change() {
    const { watch } = this;
    this.element.dataset.mode = watch.waiting ? "sample" : watch.player.mode;
    this.timeline.show();
    this.transport.show();
    this.situation.show();
    this.gif.show();
    this.rates.show();
    this.charts.setRun(watch.runShown);
    const { run, player } = watch;
    const probes = watch.runShown?.probes ?? 0;
    // A link may name one that is not there.
    if (probes && this.view.probe >= probes) this.change({ ...this.view, probe: probes - 1 });
    const slow = player.mode === "follow" && run?.status === "running" && !watch.waiting;
    const pace = slow ? (run.settings?.slow_motion ?? 0) : 0;
    this.phases.plan(pace, this.#isPlain);
    // They stand in its place, so that nothing moves; of a run that is not there nothing is drawn.
    const nothing = Boolean(watch.problem) && !watch.shown;
    this.legend.hidden = !this.phases.element.hidden || nothing;
    this.#nameSoon();
  }

  #choose() {
    if (this.pinned || !this.runs.runs) return;
    const { watch } = this;
    const choice = newestOf(this.runs.runs);
    // Who has stopped to look at something is not taken away from it.
    if (watch.id && watch.player.mode === "hold") return;
    if (isBetter(choice, watch.id, this.runs.runs)) this.#open(choice.id);
    else if (!choice && !watch.own) watch.openSample();
  }

  // So that a reload or a copied link shows the same. Not at once: browsers take only so many.
  #nameSoon() {
    this.naming ??= setTimeout(() => this.#name(), NAME_AFTER);
  }

  #name() {
    clearTimeout(this.naming);
    this.naming = null;
    const { watch, view } = this;
    const held = !watch.waiting && !watch.onLap && watch.player.mode === "hold";
    nameInAddress(watch.id, view, { step: held ? watch.player.at : null, lap: watch.onLap });
  }

  /** Fits everything into the width there is and, where it can be, the height of the window. */
  resize() {
    fitViewer(this, this.view);
  }
}
