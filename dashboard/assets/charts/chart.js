// One chart: a plot, its title with the values at the stage's step, and that step's cursor.
//
// Title and cursor are elements above the plot, since they change with every frame and a figure's
// own parts cost a layout each.

import { element, setText } from "../ui/dom.js";
import { CHARTS, HEAD, linesOf, MARGIN, plotlyFigure, valueAt } from "./plotly-figure.js";
import { titleForFirst } from "../ui/text.js";

const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false };

export class Chart {
  /**
   * @param {number} index which of CHARTS
   * @param {{zoom: (range: number[] | null) => void, seek: (step: number) => void}} on what was
   *   chosen in the plot: a window of steps, null being the whole run, or one of them
   */
  constructor(index, on) {
    this.index = index;
    this.on = on;
    const { title, lines } = CHARTS[index];
    this.title = element("span", {}, title);
    this.values = lines.map(() => element("span.stn-value"));
    // Where there are several lines, each value wears the look of its own.
    if (lines.length > 1) this.values.forEach((value, place) => (value.dataset.line = place + 1));
    // Of a second run the first line's value, where there is one beside this.
    this.beside = element("span.stn-value", { hidden: true, data: { run: 2 } });
    const values = element("span.stn-values", {}, ...this.values, this.beside);
    this.head = element("div.stn-head", {}, this.title, values);
    this.plot = element("div.stn-plot", { aria: { hidden: "true" } });
    this.cursor = element("div.stn-cursor");
    this.elements = [this.plot, this.head, this.cursor];
  }

  /** Shows the values of a second run too, or not. */
  setCompared(wanted) {
    this.beside.hidden = !wanted;
    const { length } = linesOf(CHARTS[this.index], wanted);
    this.values.forEach((value, place) => (value.hidden = place >= length));
  }

  /** Shows it, or leaves it out. */
  setVisible(wanted) {
    for (const part of this.elements) part.hidden = !wanted;
  }

  /** Puts it where its plot shall stand, in CSS pixels. */
  setBox(box) {
    this.box = box;
    put(this.plot, { left: box.left - MARGIN.left, top: box.top - MARGIN.top });
    put(this.head, { left: box.left, top: box.top - HEAD, width: box.width });
    put(this.cursor, { top: box.top, height: box.height });
  }

  /** Draws what `figure` makes of it. */
  async draw(plotly, shown) {
    const { data, layout } = plotlyFigure(this.index, this.box, shown);
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    await plotly.react(this.plot, data, layout, CONFIG);
    if (!this.heard) this.#listen();
  }

  #listen() {
    this.heard = true;
    this.plot.on("plotly_relayout", (change) => {
      const range = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (range.every(Number.isFinite)) this.on.zoom(range);
    });
    this.plot.on("plotly_doubleclick", () => this.on.zoom(null));
    this.plot.on("plotly_click", ({ points }) => this.on.seek(Math.round(points[0].x)));
  }

  /** Moves the cursor to a frame's step within the window of steps that is seen. */
  moveCursor(info, [from, to], series, other = null) {
    const { step } = info;
    const place = (step - from) / (to - from);
    this.cursor.style.visibility = place >= 0 && place <= 1 ? "visible" : "hidden";
    // Not by a transform: one that changes makes the browser put all layers together anew.
    this.cursor.style.left = `${this.box.left + place * this.box.width}px`;
    const { title, lines, regions, text } = CHARTS[this.index];
    // Of two runs the table above says so.
    setText(this.title, regions && !other ? titleForFirst(title, [info]) : title);
    lines.forEach((line, place) => {
      const value = text(valueOf(info, series, line, step));
      setText(this.values[place], line.label ? `${line.label} ${value}` : value);
    });
    if (!other) return;
    setText(this.beside, text(valueOf(other.info, other.series, lines[0], step / other.stretch)));
  }
}

// What a frame says itself comes first: live it may be there before the metrics of its step, and of a
// long run those are thinned.
const valueOf = (info, series, line, step) => info?.[line.name] ?? valueAt(series, line, step);

function put({ style }, box) {
  for (const [side, pixels] of Object.entries(box)) style[side] = `${pixels}px`;
}
