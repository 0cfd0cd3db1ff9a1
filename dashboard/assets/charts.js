// A run's metrics as lines over its steps, with the stage's step as a cursor through all of them.
//
// One Plotly figure with six plots on a common x axis. The cursor and the titles are elements
// above it, since they change with every frame and a figure's own parts cost a layout each.

import { element, setText } from "./dom.js";
import { boxes, CHARTS, HEAD, layout, LINES, looks, trace, valueAt } from "./figure.js";

// Milliseconds between two drawings of new rows.
const EVERY = 500;

export class Charts {
  /** @param {(step: number) => void} seek called with the step that was clicked */
  constructor(seek) {
    this.seek = seek;
    this.series = null;
    this.end = 100;
    this.epoch = null;
    this.cursor = null;
    this.plot = element("div.stn-plot");
    this.heads = CHARTS.map(({ title, lines }) => {
      const values = lines.map(() => element("span.stn-value"));
      // Where there are several lines, each value wears the look of its own.
      if (lines.length > 1) values.forEach((value, place) => (value.dataset.line = place + 1));
      const name = element("span", {}, title);
      return {
        values,
        element: element("div.stn-head", {}, name, element("span.stn-values", {}, ...values)),
      };
    });
    this.cursors = CHARTS.map(() => element("div.stn-cursor"));
    this.unzoom = element(
      "button.stn-button.stn-unzoom",
      { type: "button", hidden: true },
      "Whole run",
    );
    this.unzoom.onclick = () => this.#zoom(null);
    this.element = element(
      "section.stn-charts",
      {},
      this.plot,
      ...this.heads.map((head) => head.element),
      ...this.cursors,
      this.unzoom,
    );
    this.element.setAttribute("aria-label", "Charts");
  }

  /** Draws another run's series from now on. */
  open(series, run) {
    this.series = series;
    this.#setWindow(null);
    this.plan(run);
    this.changed();
  }

  /** Sets how far the x axis reaches: to the end of the epoch that is being trained. */
  plan(run) {
    const epoch = run?.steps_per_epoch ?? null;
    const done = Math.max(run?.step ?? 0, this.series?.last ?? 0, 1);
    const end = epoch ? Math.ceil(done / epoch) * epoch : done;
    if (end === this.end && epoch === this.epoch) return;
    this.end = end;
    this.epoch = epoch;
    this.changed();
  }

  /** New rows have come: they are drawn soon, twice a second at most. */
  changed() {
    if (this.epoch === null && this.series?.last) this.end = this.series.last;
    this.due ??= setTimeout(
      () => this.#draw(),
      Math.max(0, (this.drawn ?? 0) + EVERY - Date.now()),
    );
  }

  /** Moves the cursor to a step, and shows the values there. */
  showCursor(step) {
    this.cursor = step;
    const [from, to] = this.#range();
    const place = (step - from) / (to - from);
    const seen = place >= 0 && place <= 1;
    this.cursors.forEach((cursor, index) => {
      const box = this.boxes?.[index];
      if (!box) return;
      cursor.style.visibility = seen ? "visible" : "hidden";
      // Not by a transform: one that changes makes the browser put all layers together anew.
      cursor.style.left = `${box.left + place * box.width}px`;
    });
    CHARTS.forEach(({ lines, text }, index) => {
      lines.forEach((line, place) => {
        const value = text(valueAt(this.series, line, step));
        setText(this.heads[index].values[place], line.label ? `${line.label} ${value}` : value);
      });
    });
  }

  /** Colours have changed. */
  theme() {
    if (this.plotly) this.#make();
  }

  /** Fits the figure to its element: one column of plots beside the stage, more below it. */
  resize(wide) {
    this.wide = wide;
    const { clientWidth: width, clientHeight: height } = this.element;
    const size = `${wide} ${width} ${height}`;
    if (!width || size === this.size) return;
    this.size = size;
    const columns = wide ? (width > 420 ? 2 : 1) : width < 560 ? 2 : 3;
    this.boxes = boxes(width, height, columns);
    this.boxes.forEach((box, index) => {
      Object.assign(this.heads[index].element.style, {
        left: `${box.left}px`,
        top: `${box.top - HEAD}px`,
        width: `${box.width}px`,
      });
      Object.assign(this.cursors[index].style, { top: `${box.top}px`, height: `${box.height}px` });
    });
    if (this.plotly) this.#make();
    if (this.cursor !== null) this.showCursor(this.cursor);
  }

  async #draw() {
    this.due = null;
    this.drawn = Date.now();
    if (!this.boxes) return;
    if (!this.plotly) {
      this.plotly = await loadPlotly();
      await this.#make();
      this.plot.on("plotly_relayout", (change) => this.#relayouted(change));
      this.plot.on("plotly_doubleclick", () => this.#zoom(null));
      this.plot.on("plotly_click", ({ points }) => this.seek(Math.round(points[0].x)));
    } else {
      const { data, layout } = this.#figure();
      const arrays = {
        x: data.map((trace) => trace.x),
        y: data.map((trace) => trace.y),
        mode: data.map((trace) => trace.mode),
      };
      const ranges = Object.fromEntries(
        Object.entries(layout)
          .filter(([name]) => name.startsWith("xaxis"))
          .flatMap(([name, axis]) => [
            [`${name}.range`, axis.range],
            [`${name}.tickmode`, axis.tickmode],
            [`${name}.dtick`, axis.dtick],
          ]),
      );
      await this.plotly.update(this.plot, arrays, ranges);
    }
    if (this.cursor !== null) this.showCursor(this.cursor);
  }

  #make() {
    const { data, layout } = this.#figure();
    const touch = matchMedia("(pointer: coarse)").matches;
    layout.dragmode = touch ? false : "zoom";
    return this.plotly.react(this.plot, data, layout, {
      displayModeBar: false,
      doubleClick: false,
      showTips: false,
    });
  }

  #figure() {
    const [from, to] = this.#range();
    const look = looks(this.element);
    const data = LINES.map((line) => trace(line, this.series, from, to, look));
    return { data, layout: layout(this.boxes, this.element, [from, to], this.epoch, look) };
  }

  #range() {
    return this.window ?? [0, Math.max(1, this.end)];
  }

  #relayouted(change) {
    const edge = (end) =>
      Object.entries(change).find(
        ([name]) => /^xaxis\d*\.range/.test(name) && name.endsWith(end),
      )?.[1];
    const [from, to] = [edge("[0]"), edge("[1]")];
    if (Number.isFinite(from) && Number.isFinite(to)) this.#zoom([from, to]);
  }

  #zoom(range) {
    this.#setWindow(range);
    this.drawn = 0;
    this.changed();
  }

  #setWindow(range) {
    this.window = range;
    this.unzoom.hidden = !range;
  }
}

// The library is large; the stage comes first.
async function loadPlotly() {
  await import("./vendor/plotly-basic-4.1.1.min.js");
  return window.Plotly;
}
