// All charts of a run's metrics over its steps, with a cursor at the stage's step.
//
// Each chart is a figure of its own, and new rows are drawn one chart after each paint of the stage:
// all at once would delay the next frame.

import { assetUrl } from "../protocol/assets.js";
import { element, setText } from "../ui/dom.js";
import { Chart } from "./chart.js";
import { CHARTS, scalarChart } from "./chart-definitions.js";
import { plotBoxes, themeColours } from "./plotly-figure.js";

/** @import { FrameInfo, Run } from "../protocol/types.js" */
/** @import { Metrics } from "../playback/metrics.js" */
/** @import { Plotly } from "./chart.js" */
/** @import { ChartDefinition } from "./chart-definitions.js" */
/** @import { ComparedMetrics, PlotBox, ThemeColours } from "./plotly-figure.js" */

// A variable, so that the type checker does not follow the import.
const PLOTLY = "vendor/plotly-basic-4.1.1.min.js";
// Milliseconds between two drawings of new rows.
const DRAW_INTERVAL = 500;
// Milliseconds until the library is loaded again after a failure.
const RETRY_INTERVAL = 2000;
// Milliseconds until the next chart is drawn: after a paint of the stage, the time in which the browser
// shows it; without one, as long as a paint may take.
const AFTER_PAINT = 8;
const WITHOUT_PAINT = 100;
// CSS pixels: charts beside the stage that are wider than this have two columns, charts below it
// that are narrower than this have two instead of three.
const MIN_TWO_COLUMNS_WIDTH = 420;
const MIN_THREE_COLUMNS_WIDTH = 560;
// CSS pixels: the least height of a chart beside the stage, where more charts than fit are scrolled, and
// of one of more rows below it than the style sheet has space for.
const MIN_HEIGHT_BESIDE = 76;
const MIN_HEIGHT_BELOW = 100;
const ROWS_BELOW = 3;
// Charts that are shown while the others are folded.
const FOLDED_CHARTS = 2;
// CSS pixels, of the button below the charts, and of a plot at most.
const FOLD_HEIGHT = 36;
const MAX_PLOT_HEIGHT = 210;

export class Charts {
  /**
   * @param {(step: number) => void} onSeek called with the step that was clicked
   * @param {(isFolded: boolean) => void} onFold called to show the first charts only, or all
   */
  constructor(onSeek, onFold) {
    /** @type {Metrics | null} */
    this.metrics = null;
    /** @type {ComparedMetrics | null} */
    this.compared = null;
    this.end = 100; // the last step on the x axis
    /** @type {number | null} */
    this.stepsPerEpoch = null;
    /** @type {FrameInfo | null} */
    this.cursor = null; // of the stage's frame
    /** @type {number[] | null} */
    this.selected = null; // the range of steps that the user has zoomed to
    /** @type {Chart[]} */
    this.stale = []; // charts whose new rows are not drawn yet
    this.hasMore = false; // whether rows arrived while those were being drawn
    const on = { seek: onSeek, zoom: this.#zoom.bind(this) };
    this.on = on;
    this.charts = CHARTS.map((definition) => new Chart(definition, on));
    this.visible = [...this.charts];
    this.isFolded = false; // whether only the first ones are shown
    /** @type {Run | null} */
    this.run = null;
    /** @type {PlotBox[] | null} */
    this.boxes = null;
    this.isBeside = false; // the stage, not below it
    this.size = "";
    /** @type {ThemeColours | null} */
    this.colours = null;
    /** @type {Promise<Plotly> | null} */
    this.plotly = null;
    this.failures = 0; // to load it
    this.lastDrawnAt = 0; // in milliseconds since 1970
    /** @type {Object<string, ReturnType<typeof setTimeout> | null>} */
    this.timers = { rows: null, next: null, all: null, retry: null };
    this.isNextSoon = false;
    const resetZoom = { type: "button", hidden: true, onclick: () => this.#zoom(null) };
    this.resetZoom = element("button.stn-button.stn-reset-zoom", resetZoom, "Whole run");
    this.fold = element("button.stn-button.stn-small.stn-fold-charts", { type: "button" });
    this.fold.onclick = () => onFold(!this.isFolded);
    const parts = this.charts.flatMap((chart) => chart.elements);
    this.area = element("div.stn-chart-area", {}, ...parts);
    const label = { aria: { label: "Charts" } };
    this.element = element("section.stn-charts", label, this.area, this.fold, this.resetZoom);
    // The stage beside the charts becomes wider when its first frame has wide images.
    new ResizeObserver(() => this.resize(this.isBeside)).observe(this.element);
  }

  /**
   * Draw another run's metrics.
   * @param {Metrics} metrics
   * @param {Run | null} run
   */
  open(metrics, run) {
    this.metrics = metrics;
    this.#setRange(null);
    this.setRun(run);
    this.#drawAll();
  }

  /**
   * Draw the compared run's metrics too; null removes them.
   * @param {ComparedMetrics | null} compared
   */
  compare(compared) {
    const isSame = compared?.metrics === this.compared?.metrics &&
      compared?.stretch === this.compared?.stretch;
    this.compared = compared;
    // Its metrics may have come since, before its first frame.
    this.#updateVisible();
    if (isSame) return;
    for (const chart of this.charts) chart.setCompared(Boolean(compared));
    this.#drawAll();
  }

  /**
   * Set the run, whose current epoch's end is the end of the x axis.
   * @param {Run | null} run
   */
  setRun(run) {
    this.run = run;
    this.#updateVisible();
    const stepsPerEpoch = run?.steps_per_epoch ?? null;
    const done = Math.max(run?.step ?? 0, this.metrics?.lastStep ?? 0, 1);
    const end = stepsPerEpoch ? Math.ceil(done / stepsPerEpoch) * stepsPerEpoch : done;
    if (end === this.end && stepsPerEpoch === this.stepsPerEpoch) return;
    this.end = end;
    this.stepsPerEpoch = stepsPerEpoch;
    this.#drawAll();
  }

  /**
   * Show the first charts only, or all.
   * @param {boolean} isFolded
   */
  setFolded(isFolded) {
    if (isFolded === this.isFolded) return;
    this.isFolded = isFolded;
    this.#updateVisible();
  }

  // Add a chart for each further metric, and leave out those that have nothing to show.
  #updateVisible() {
    const known = new Set(this.charts.map(({ definition }) => definition.lines[0].name));
    const both = [this.metrics, this.compared?.metrics ?? null];
    for (const { name, column } of both.flatMap((metrics) => metrics?.scalars ?? [])) {
      if (known.has(column)) continue;
      known.add(column);
      const chart = new Chart(scalarChart(name, column), this.on);
      chart.setCompared(Boolean(this.compared));
      this.charts.push(chart);
      this.area.append(...chart.elements);
    }
    const withContent = this.charts.filter(({ definition }) => this.#hasContent(definition));
    const visible = this.isFolded ? withContent.slice(0, FOLDED_CHARTS) : withContent;
    const count = withContent.length;
    this.fold.hidden = count <= FOLDED_CHARTS;
    setText(this.fold, this.isFolded ? `Show all ${count} charts` : "Show fewer charts");
    if (visible.length === this.visible.length && visible.every((c, i) => c === this.visible[i])) {
      return;
    }
    this.visible = visible;
    for (const chart of this.charts) chart.setVisible(visible.includes(chart));
    this.size = "";
    if (this.boxes) this.resize(this.isBeside);
  }

  /**
   * Whether a chart has, or will have, values of one of the runs.
   * @param {ChartDefinition} definition
   */
  #hasContent({ ofRegions, isScalar, lines }) {
    const both = [this.metrics, this.compared?.metrics ?? null];
    const hasValues = both.some((each) => lines.some(({ name }) => each?.names.has(name)));
    // What a loop of its own has not passed so far, it may never pass.
    if (isScalar || (this.run?.watched && this.metrics?.steps.length)) return hasValues;
    return !(ofRegions && this.run?.transformers === 0 && !this.compared);
  }

  /** Draw rows that were added to the metrics: soon, at most twice a second. */
  metricsChanged() {
    this.#updateVisible();
    if (this.stepsPerEpoch === null && this.metrics?.lastStep) this.end = this.metrics.lastStep;
    if (this.timers.rows !== null) return;
    // Charts that are drawn already lack these rows.
    this.hasMore = this.stale.length > 0;
    if (this.hasMore) return;
    this.timers.rows = setTimeout(
      () => {
        this.timers.rows = null;
        this.lastDrawnAt = Date.now();
        this.stale = [...this.visible];
        this.#drawNextIn(WITHOUT_PAINT);
      },
      Math.max(0, this.lastDrawnAt + DRAW_INTERVAL - Date.now()),
    );
  }

  /** Draw the next chart, since the stage has been painted and the next frame is not due yet. */
  stagePainted() {
    // A drawing that is due soon is not delayed: a busy page might paint before it each time.
    if (this.stale.length && !this.isNextSoon) this.#drawNextIn(AFTER_PAINT);
  }

  /**
   * Move the cursor to a frame's step, and show the values there.
   * @param {FrameInfo} info
   */
  moveCursor(info) {
    this.cursor = info;
    if (!this.boxes) return;
    for (const chart of this.visible) {
      chart.moveCursor(info, this.#range(), this.metrics, this.compared);
    }
  }

  /** Read the page's colours again and draw with them. */
  updateTheme() {
    this.colours = null;
    this.#drawAll();
  }

  /**
   * Fit the charts to their element.
   * @param {boolean} isBeside whether the charts are beside the stage, not below it
   */
  resize(isBeside) {
    this.isBeside = isBeside;
    const { clientWidth: width } = this.element;
    const columns = isBeside
      ? (width > MIN_TWO_COLUMNS_WIDTH ? 2 : 1)
      : width < MIN_THREE_COLUMNS_WIDTH
      ? 2
      : 3;
    const rows = Math.ceil(this.visible.length / columns);
    this.element.style.minHeight = isBeside || rows <= ROWS_BELOW
      ? ""
      : `${rows * MIN_HEIGHT_BELOW}px`;
    const { clientHeight: height } = this.element;
    const size = `${isBeside} ${width} ${height} ${this.fold.hidden}`;
    if (!width || size === this.size) return;
    this.size = size;
    const available = height - (this.fold.hidden ? 0 : FOLD_HEIGHT);
    const least = isBeside ? rows * MIN_HEIGHT_BESIDE : 0;
    const areaHeight = Math.max(Math.min(available, rows * MAX_PLOT_HEIGHT), least);
    this.fold.style.top = `${areaHeight + FOLD_HEIGHT / 6}px`;
    // So that the keyboard can scroll it too.
    if (areaHeight > height) this.element.tabIndex = 0;
    else this.element.removeAttribute("tabindex");
    this.area.style.height = `${areaHeight}px`;
    const boxes = plotBoxes(width, areaHeight, columns, this.visible.length);
    this.boxes = boxes;
    this.visible.forEach((chart, index) => chart.setBox(boxes[index]));
    this.#drawAll();
    this.redrawCursor();
  }

  /** Draw the cursor and the values at it again. */
  redrawCursor() {
    if (this.cursor) this.moveCursor(this.cursor);
  }

  /** @param {number} milliseconds */
  #drawNextIn(milliseconds) {
    clearTimeout(this.timers.next ?? undefined);
    this.isNextSoon = milliseconds === AFTER_PAINT;
    this.timers.next = setTimeout(async () => {
      this.isNextSoon = false;
      const chart = this.stale.shift();
      if (chart) await this.#draw(chart);
      if (this.stale.length) return this.#drawNextIn(WITHOUT_PAINT);
      this.redrawCursor();
      if (this.hasMore) this.metricsChanged();
    }, milliseconds);
  }

  // Draw all charts once, however often this is called within a task.
  #drawAll() {
    this.stale = [];
    this.hasMore = false;
    this.timers.all ??= setTimeout(async () => {
      this.timers.all = null;
      this.lastDrawnAt = Date.now();
      for (const chart of this.visible) await this.#draw(chart);
      this.redrawCursor();
    });
  }

  /** @param {Chart} chart */
  async #draw(chart) {
    if (!this.boxes) return;
    const plotly = await this.#load();
    if (!plotly) return;
    const colours = this.colours ??= themeColours(this.element);
    const { metrics, compared, stepsPerEpoch } = this;
    await chart.draw(plotly, { metrics, compared, range: this.#range(), stepsPerEpoch, colours });
  }

  /** Return the library; null if the connection was lost, and then all charts are drawn later. */
  async #load() {
    const loading = this.plotly ??= loadPlotly(this.failures);
    try {
      return await loading;
    } catch {
      if (this.plotly === loading) {
        this.plotly = null;
        this.failures += 1;
      }
      this.timers.retry ??= setTimeout(() => {
        this.timers.retry = null;
        this.#drawAll();
      }, RETRY_INTERVAL);
      return null;
    }
  }

  #range() {
    return this.selected ?? [0, Math.max(1, this.end)];
  }

  /** @param {number[] | null} range */
  #zoom(range) {
    this.#setRange(range);
    this.#drawAll();
  }

  /** @param {number[] | null} range */
  #setRange(range) {
    this.selected = range;
    this.resetZoom.hidden = !range;
  }
}

/**
 * Load the library, which is large and not needed before the first frame is drawn.
 * @param {number} failures number of attempts before; a browser may not fetch an address again that failed
 * @returns {Promise<Plotly>}
 */
async function loadPlotly(failures) {
  const url = await assetUrl(PLOTLY);
  await import(failures ? `${url}?attempt=${failures}` : url);
  return Reflect.get(globalThis, "Plotly");
}
