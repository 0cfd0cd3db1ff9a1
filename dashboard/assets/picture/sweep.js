// A sweep: one variation is moved from end to end, and the network's predictions are plotted over it.

import { element, setAttributes, setText, svgElement, svgText } from "../ui/dom.js";
import { decimal, percent } from "../ui/number-text.js";
import { saveFile } from "../ui/save-file.js";
import { sweepCurves, sweepStillness, sweepTable } from "./sweep-curves.js";

/** @import { Curve, SweepPoint } from "./sweep-curves.js" */
/** @import { VariationEntry } from "./variations.js" */

// Size of the chart, in its own units.
const WIDTH = 560;
const HEIGHT = 190;
const MARGIN = { left: 44, right: 12, top: 10, bottom: 24 };
const TICKS = [0, 0.5, 1];
const HINT = "Press Sweep beside a variation: it is moved from end to end.";

export class SweepChart {
  /**
   * @param {(point: SweepPoint) => void} onPoint called to show the frame of a value
   * @param {(entry: VariationEntry, points: SweepPoint[]) => void} onAnimation called to save all frames
   */
  constructor(onPoint, onAnimation) {
    this.onPoint = onPoint;
    /** @type {VariationEntry | null} */
    this.entry = null;
    /** @type {SweepPoint[]} */
    this.points = [];
    /** @type {Curve[]} */
    this.curves = [];
    this.shown = 0; // index of the value under the cursor
    this.title = element("h3.stn-tab-heading", {}, "Sweep");
    this.text = element("p.stn-muted", { aria: { live: "polite" } }, HINT);
    this.lines = svgElement("g");
    this.axes = svgElement("g", { class: "stn-sweep-axes" });
    this.cursor = svgElement("line", {
      class: "stn-sweep-cursor",
      y1: MARGIN.top,
      y2: HEIGHT - MARGIN.bottom,
    });
    this.chart = svgElement("svg", {
      class: "stn-sweep-chart",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      tabindex: 0,
      role: "slider",
      "aria-label": "Sweep: arrow keys choose a value",
    });
    this.chart.append(this.axes, this.lines, this.cursor);
    this.legend = element("p.stn-sweep-legend");
    this.save = element("button.stn-button.stn-small", { type: "button" }, "Save as CSV");
    this.save.onclick = () => this.#save();
    this.animation = element("button.stn-button.stn-small", {
      type: "button",
      title: "The frames of the sweep as an animated PNG, which browsers play",
    }, "Save as animation");
    this.animation.onclick = () => this.entry && onAnimation(this.entry, this.points);
    const buttons = element("div.stn-source-buttons", {}, this.save, this.animation);
    this.body = element("div", { hidden: true }, this.chart, this.legend, buttons);
    this.element = element(
      "section.stn-sweep",
      { aria: { label: "Sweep" } },
      this.title,
      this.text,
      this.body,
    );
    this.#listen();
  }

  /** Show nothing: another picture was chosen. */
  clear() {
    this.entry = null;
    this.points = [];
    this.body.hidden = true;
    setText(this.title, "Sweep");
    setText(this.text, HINT);
  }

  /**
   * Draw what a sweep has measured so far.
   * @param {VariationEntry} entry
   * @param {SweepPoint[]} points
   * @param {number} label class whose probability is shown
   * @param {string} className its name
   */
  draw(entry, points, label, className) {
    Object.assign(this, { entry, points, shown: points.length - 1 });
    this.curves = sweepCurves(points, label);
    this.body.hidden = false;
    setText(this.title, `Sweep: ${entry.title.toLowerCase()}`);
    const still = sweepStillness(points);
    const stillText = still === null ? "" : ` Stillness ${decimal(still, 2)} over all of it: ` +
      "0 stands still, 1 moves like the input.";
    setText(this.text, `Probability of ${className}.${stillText}`);
    this.#drawAxes(entry);
    this.#drawLines();
    this.#drawCursor();
  }

  /** @param {VariationEntry} entry */
  #drawAxes({ minimum, maximum, neutral, text }) {
    const bottom = HEIGHT - MARGIN.bottom;
    this.axes.replaceChildren(
      ...TICKS.flatMap((tick) => [
        svgElement("line", {
          x1: MARGIN.left,
          x2: WIDTH - MARGIN.right,
          y1: yOf(tick),
          y2: yOf(tick),
        }),
        svgText(MARGIN.left - 6, yOf(tick) + 4, decimal(tick, 1), "end"),
      ]),
      ...[...new Set([minimum, neutral, maximum])].map((value) => {
        const anchor = value === minimum ? "start" : value === maximum ? "end" : "middle";
        return svgText(xOf(value, minimum, maximum), bottom + 17, text(value), anchor);
      }),
    );
  }

  #drawLines() {
    const { entry, points, curves } = this;
    if (!entry) return;
    this.lines.replaceChildren(
      ...curves.map(({ values }, line) => {
        const parts = values.map((value, index) => {
          if (value === null) return "";
          const isFirst = index === 0 || values[index - 1] === null;
          const x = xOf(points[index].value, entry.minimum, entry.maximum);
          return `${isFirst ? "M" : "L"}${x.toFixed(1)} ${yOf(Math.min(1, value)).toFixed(1)}`;
        });
        return svgElement("path", { d: parts.join(""), "data-line": line + 1 });
      }),
    );
  }

  #drawCursor() {
    const { entry, points, shown, curves } = this;
    const point = points[shown];
    if (!entry || !point) return;
    const x = xOf(point.value, entry.minimum, entry.maximum);
    setAttributes(this.cursor, { x1: x, x2: x });
    setAttributes(this.chart, {
      "aria-valuemin": entry.minimum,
      "aria-valuemax": entry.maximum,
      "aria-valuenow": point.value,
      "aria-valuetext": entry.text(point.value),
    });
    this.legend.replaceChildren(
      element("span", {}, `At ${entry.text(point.value)}:`),
      ...curves.map(({ title, values }, line) => {
        const value = values[shown];
        const isStillness = title === "Stillness";
        const text = value === null ? "–" : isStillness ? decimal(value, 2) : percent(value, 0);
        return element("span.stn-value", { data: { line: String(line + 1) } }, `${title} ${text}`);
      }),
    );
  }

  #listen() {
    const { chart } = this;
    chart.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" || event.buttons) this.#showAt(event);
    });
    chart.addEventListener("pointerdown", (event) => this.#showAt(event));
    chart.addEventListener("keydown", (event) => {
      const offset = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!offset) return;
      event.preventDefault();
      this.#show(this.shown + offset);
    });
  }

  /** @param {PointerEvent} event */
  #showAt({ clientX }) {
    const { entry, points } = this;
    if (!entry || !points.length) return;
    const { left, width } = this.chart.getBoundingClientRect();
    const x = ((clientX - left) / width) * WIDTH;
    const distances = points.map(({ value }) =>
      Math.abs(xOf(value, entry.minimum, entry.maximum) - x)
    );
    this.#show(distances.indexOf(Math.min(...distances)));
  }

  /** @param {number} index */
  #show(index) {
    const shown = Math.min(this.points.length - 1, Math.max(0, index));
    if (shown === this.shown) return;
    this.shown = shown;
    this.#drawCursor();
    this.onPoint(this.points[shown]);
  }

  #save() {
    const { entry, points, curves } = this;
    if (!entry) return;
    const blob = new Blob([sweepTable(entry.name, points, curves)], { type: "text/csv" });
    saveFile(blob, `stnscope-sweep-${entry.name}.csv`);
  }
}

/**
 * @param {number} value
 * @param {number} minimum
 * @param {number} maximum
 */
const xOf = (value, minimum, maximum) =>
  MARGIN.left +
  ((WIDTH - MARGIN.left - MARGIN.right) * (value - minimum)) / (maximum - minimum);

/** @param {number} share */
const yOf = (share) => MARGIN.top + (1 - share) * (HEIGHT - MARGIN.top - MARGIN.bottom);
