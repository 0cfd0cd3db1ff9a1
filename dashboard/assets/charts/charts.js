// A run's metrics as lines over its steps, with the stage's step as a cursor through all of them.
//
// Each chart is a figure of its own, and new rows are drawn one chart after each paint of the stage:
// all at once they would keep the next frame waiting.

import { Chart } from "./chart.js";
import { element } from "../ui/dom.js";
import { CHARTS, plotBoxes, themeColours } from "./plotly-figure.js";

// A variable, so that the type checker does not follow the import.
const PLOTLY = "../vendor/plotly-basic-4.1.1.min.js";
// Milliseconds between two drawings of new rows.
const EVERY = 500;
// After a paint, the time in which the browser shows it; where there is none, as long as one may take.
const SHOWN = 8;
const NO_PAINT = 100;

export class Charts {
  /** @param {(step: number) => void} seek called with the step that was clicked */
  constructor(seek) {
    this.series = null;
    this.other = null; // a second run's series, how many steps here one of its steps is, its frame
    this.end = 100;
    this.epoch = null;
    this.cursor = null; // what the stage's frame says
    this.stale = []; // charts that have new rows to draw
    this.more = false; // whether rows came while those were being drawn
    const on = { seek, zoom: (range) => this.#zoom(range) };
    this.charts = CHARTS.map((_, index) => new Chart(index, on));
    this.shown = this.charts;
    this.plain = false;
    const unzoom = { type: "button", hidden: true, onclick: () => this.#zoom(null) };
    this.unzoom = element("button.stn-button.stn-unzoom", unzoom, "Whole run");
    const parts = this.charts.flatMap((chart) => chart.elements);
    this.element = element("section.stn-charts", {}, ...parts, this.unzoom);
    this.element.setAttribute("aria-label", "Charts");
  }

  /** Draws another run's series from now on. */
  open(series, run) {
    this.series = series;
    this.#setWindow(null);
    this.setRun(run);
    this.#drawAll();
  }

  /**
   * Draws a second run's series beside it from now on, or none.
   * @param {{series: object, stretch: number, info: object} | null} other `info` is what its frame on
   *   the stage says
   */
  compare(other) {
    const same = other?.series === this.other?.series && other?.stretch === this.other?.stretch;
    this.other = other;
    if (same) return;
    for (const chart of this.charts) chart.setCompared(Boolean(other));
    if (other) this.#choose(false);
    this.#drawAll();
  }

  /** Sets how far the x axis reaches: to the end of the epoch that is being trained. */
  setRun(run) {
    this.#choose(run?.transformers === 0 && !this.other);
    const epoch = run?.steps_per_epoch ?? null;
    const done = Math.max(run?.step ?? 0, this.series?.last ?? 0, 1);
    const end = epoch ? Math.ceil(done / epoch) * epoch : done;
    if (end === this.end && epoch === this.epoch) return;
    this.end = end;
    this.epoch = epoch;
    this.#drawAll();
  }

  // Leaves out the charts of regions, where there are none.
  #choose(plain) {
    if (plain === this.plain) return;
    this.plain = plain;
    this.shown = this.charts.filter((_, index) => !(plain && CHARTS[index].regions));
    for (const chart of this.charts) chart.setVisible(this.shown.includes(chart));
    this.size = null;
    if (this.wide !== undefined) this.resize(this.wide);
  }

  /** New rows have come: they are drawn soon, twice a second at most. */
  metricsChanged() {
    if (this.epoch === null && this.series?.last) this.end = this.series.last;
    if (this.due) return;
    // Some have been drawn already without them.
    this.more = this.stale.length > 0;
    if (this.more) return;
    this.due = setTimeout(
      () => {
        this.due = null;
        this.began = Date.now();
        this.stale = [...this.shown];
        this.#drawNextIn(NO_PAINT);
      },
      Math.max(0, (this.began ?? 0) + EVERY - Date.now()),
    );
  }

  /** The stage has been painted: until the next frame there is time to draw. */
  stagePainted() {
    // What is about to be drawn already is not put off: a busy page might paint first each time.
    if (this.stale.length && !this.soon) this.#drawNextIn(SHOWN);
  }

  /** Moves the cursor to a frame's step, and shows the values there. */
  moveCursor(info) {
    this.cursor = info;
    if (!this.boxes) return;
    for (const chart of this.shown) chart.moveCursor(info, this.#range(), this.series, this.other);
  }

  /** Colours have changed. */
  updateTheme() {
    this.look = null;
    this.#drawAll();
  }

  /** Fits the charts to their element: one column of plots beside the stage, more below it. */
  resize(wide) {
    this.wide = wide;
    const { clientWidth: width, clientHeight: height } = this.element;
    const size = `${wide} ${width} ${height}`;
    if (!width || size === this.size) return;
    this.size = size;
    const columns = wide ? (width > 420 ? 2 : 1) : width < 560 ? 2 : 3;
    this.boxes = plotBoxes(width, height, columns, this.shown.length);
    this.shown.forEach((chart, index) => chart.setBox(this.boxes[index]));
    this.#drawAll();
    if (this.cursor !== null) this.moveCursor(this.cursor);
  }

  #drawNextIn(milliseconds) {
    clearTimeout(this.next);
    this.soon = milliseconds === SHOWN;
    this.next = setTimeout(async () => {
      this.soon = false;
      await this.#draw(this.stale.shift());
      if (this.stale.length) return this.#drawNextIn(NO_PAINT);
      if (this.cursor !== null) this.moveCursor(this.cursor);
      if (this.more) this.metricsChanged();
    }, milliseconds);
  }

  // Once for all that asks for it within a task.
  #drawAll() {
    this.stale = [];
    this.more = false;
    this.whole ??= setTimeout(async () => {
      this.whole = null;
      this.began = Date.now();
      for (const chart of this.shown) await this.#draw(chart);
      if (this.cursor !== null) this.moveCursor(this.cursor);
    });
  }

  async #draw(chart) {
    if (!chart || !this.boxes) return;
    const plotly = await (this.plotly ??= loadPlotly());
    this.look ??= themeColours(this.element);
    const { series, other, epoch, look } = this;
    await chart.draw(plotly, { series, other, range: this.#range(), epoch, look });
  }

  #range() {
    return this.window ?? [0, Math.max(1, this.end)];
  }

  #zoom(range) {
    this.#setWindow(range);
    this.#drawAll();
  }

  #setWindow(range) {
    this.window = range;
    this.unzoom.hidden = !range;
  }
}

// The library is large and not needed before the first frame is drawn.
async function loadPlotly() {
  await import(PLOTLY);
  return globalThis.Plotly;
}
