// The viewer: stage, readout and controls on one side, charts on the other, joined to one watch.

import { Charts } from "./charts.js";
import { element, setText } from "./dom.js";
import { GifPanel } from "./gif.js";
import { Joining } from "./joining.js";
import { seek } from "./player.js";
import { Readout, Situation } from "./readout.js";
import { isBetter, newestOf } from "./runlist.js";
import { RatesPanel } from "./settings.js";
import { Stage } from "./stage.js";
import { onKey, Transport } from "./transport.js";
import { Watch } from "./watch.js";
import { legendOf } from "./words.js";

// From this width on the charts stand beside the stage, else below it.
const WIDE = 1000;
const SIDE_GAP = 20;
const ROW_GAP = 12;
// The controls are at least so wide, where there is room: narrower they would take the stage's height.
const CONTROLS = 1012;

export class Viewer {
  /**
   * @param {object} api the server's calls
   * @param {RunList} runs says which run is the newest where none is asked for
   */
  constructor(api, runs) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.api = api;
    this.runs = runs;
    this.watch = new Watch(api, calm);
    this.stage = new Stage();
    this.readout = new Readout();
    this.situation = new Situation(this.watch);
    this.transport = new Transport(this.watch, (problem) => this.situation.say(problem));
    const say = (problem) => this.situation.say(problem);
    this.joining = new Joining(this.watch, this.stage.element, say);
    this.charts = new Charts((step) => this.watch.act(seek, step));
    this.gif = new GifPanel(this.watch);
    this.rates = new RatesPanel(this.watch);
    this.element = this.#lay();
    this.#listen();
    this.#change();
  }

  /** Watches the run `id`, or without one whichever is the newest. */
  pin(id) {
    if (id === this.pinned) return;
    this.pinned = id;
    this.situation.say(null);
    if (id) this.watch.open(id);
    else this.#choose();
  }

  /** Colours have changed. */
  theme() {
    this.charts.theme();
  }

  #lay() {
    const told = element("div.stn-told", {}, this.readout.element, this.situation.element);
    this.legend = element("p.stn-legend", {}, legendOf());
    this.controls = element("div.stn-controls", {}, this.legend, told, this.transport.element);
    const side = element("section.stn-side", {}, this.stage.element, this.controls);
    side.setAttribute("aria-label", "Stage");
    const parts = [this.joining, this.gif, this.rates].map((part) => part.element);
    const panels = element("div.stn-panels", {}, ...parts);
    return element("div.stn-viewer", {}, side, this.charts.element, panels);
  }

  #listen() {
    const { watch } = this;
    watch.addEventListener("frame", ({ detail }) => this.#show(detail.frame));
    watch.addEventListener("change", () => this.#change());
    watch.addEventListener("reel", () => this.charts.open(watch.reel.series, watch.run));
    watch.addEventListener("metrics", () => this.charts.changed());
    this.runs.addEventListener("change", () => this.#choose());
    setInterval(() => this.situation.show(), 1000);
    document.addEventListener("keydown", (event) => onKey(watch, event));
    const resize = () => this.resize();
    new ResizeObserver(resize).observe(this.element);
    addEventListener("resize", resize);
  }

  #show(frame) {
    this.stage.show(frame);
    setText(this.legend, legendOf(frame.info));
    this.readout.show(frame, this.watch.waiting ? null : this.watch.run);
    this.transport.showPlace();
    this.charts.showCursor(frame.info.step);
    this.element.dataset.run = this.watch.reel.recording.id;
    // For whoever measures: `time` is when the step was done, in seconds since 1970.
    const seen = { step: frame.info.step, time: frame.info.time, mode: this.watch.player.mode };
    this.element.dispatchEvent(new CustomEvent("stnscope:paint", { bubbles: true, detail: seen }));
    this.charts.painted();
  }

  #change() {
    const { watch } = this;
    this.element.dataset.mode = watch.waiting ? "sample" : watch.player.mode;
    this.transport.show();
    this.situation.show();
    this.gif.show();
    this.rates.show();
    this.charts.plan(watch.waiting ? null : watch.run);
  }

  #choose() {
    if (this.pinned || !this.runs.runs) return;
    const { watch } = this;
    const choice = newestOf(this.runs.runs);
    // Who has stopped to look at something is not taken away from it.
    if (watch.id && watch.player.mode === "hold") return;
    if (isBetter(choice, watch.id, this.runs.runs)) {
      watch.open(choice.id);
      nameInAddress(choice.id);
    } else if (!choice && !watch.own) watch.openSample();
  }

  /** Fits everything into the width there is and, where it can be, the height of the window. */
  resize() {
    const { clientWidth } = this.element;
    if (!clientWidth) return;
    const wide = clientWidth >= WIDE;
    this.element.classList.toggle("stn-wide", wide);
    const beside = wide ? Math.min(480, Math.max(214, 0.171 * clientWidth)) + SIDE_GAP : 0;
    this.#fitStage(clientWidth - beside);
    this.charts.resize(wide);
  }

  // The controls are as wide as the stage, and the narrower the higher; their height is room that
  // the stage has not. So it is fitted with the least that they can need and, where they turn out
  // to need more, once again: the same room always ends in the same layout.
  #fitStage(width) {
    const { element } = this.stage;
    const top = element.getBoundingClientRect().top + scrolled(this.element);
    const room = innerHeight - top - 2 * ROW_GAP;
    const { style } = this.controls.parentElement;
    style.minWidth = `${Math.min(width, CONTROLS)}px`;
    style.width = `${width}px`;
    const least = this.controls.offsetHeight;
    style.width = "";
    this.stage.resize(width, room - least);
    const needed = this.controls.offsetHeight;
    if (needed > least) this.stage.resize(width, room - needed);
  }
}

// So that a reload or a copied link shows the same run. What was chosen by nobody leaves no entry
// in the history.
function nameInAddress(id) {
  const address = new URL(location.href);
  address.searchParams.set("run", id);
  history.replaceState(history.state, "", address);
}

// How far the page has been scrolled, in whichever element scrolls it.
function scrolled(element) {
  let sum = 0;
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    sum += parent.scrollTop;
  }
  return sum;
}
