// One chart: a plot, its title with the values at the stage's step, and a cursor at that step.
//
// Title and cursor are elements above the plot: they change with every frame, and within the figure
// each change would cost a layout.

import { element, setText } from "../ui/dom.js";
import { titleForFirst } from "../ui/frame-text.js";
import { drawnLines } from "./chart-definitions.js";
import { MARGIN, plotlyFigure, TITLE_HEIGHT, valueAt } from "./plotly-figure.js";

/** @import { FrameInfo } from "../protocol/types.js" */
/** @import { Metrics } from "../playback/metrics.js" */
/** @import { ChartDefinition, Line } from "./chart-definitions.js" */
/** @import { ComparedMetrics, Content, PlotBox } from "./plotly-figure.js" */

/**
 * The part of the Plotly library that is used.
 * @typedef {object} Plotly
 * @property {(plot: HTMLElement, data: object[], layout: object, config: object) => Promise<void>} react
 */

/**
 * An element that Plotly has drawn in.
 * @typedef {object} PlotlyEvents
 * @property {(event: string, handler: (detail: any) => void) => void} on
 */

const CONFIG = { displayModeBar: false, doubleClick: false, showTips: false };

export class Chart {
  /**
   * @param {ChartDefinition} definition
   * @param {{zoom: (range: number[] | null) => void, seek: (step: number) => void}} on called when a
   *   range of steps is selected in the plot, null for the whole run, and when a step is clicked
   */
  constructor(definition, on) {
    this.definition = definition;
    this.on = on;
    const { title, lines } = definition;
    this.title = element("span", { title }, title);
    this.values = lines.map((_, index) =>
      // With several lines, each value is styled like its line.
      element("span.stn-value", lines.length > 1 ? { data: { line: index + 1 } } : {})
    );
    this.comparedValue = element("span.stn-value", { hidden: true, data: { run: 2 } });
    const values = element("span.stn-values", {}, ...this.values, this.comparedValue);
    this.head = element("div.stn-chart-head", {}, this.title, values);
    this.plot = element("div.stn-plot", { aria: { hidden: "true" } });
    this.cursor = element("div.stn-cursor");
    this.elements = [this.plot, this.head, this.cursor];
    /** @type {PlotBox} */
    this.box = { left: 0, top: 0, width: 0, height: 0, isLowest: false };
    this.isListening = false;
  }

  /**
   * Set whether the compared run's values are shown too.
   * @param {boolean} isCompared
   */
  setCompared(isCompared) {
    this.comparedValue.hidden = !isCompared;
    const { length } = drawnLines(this.definition, isCompared);
    this.values.forEach((value, index) => (value.hidden = index >= length));
  }

  /** @param {boolean} isVisible */
  setVisible(isVisible) {
    for (const part of this.elements) part.hidden = !isVisible;
  }

  /** @param {PlotBox} box */
  setBox(box) {
    this.box = box;
    setPosition(this.plot, { left: box.left - MARGIN.left, top: box.top - MARGIN.top });
    setPosition(this.head, { left: box.left, top: box.top - TITLE_HEIGHT, width: box.width });
    setPosition(this.cursor, { top: box.top, height: box.height });
  }

  /**
   * Draw the plot.
   * @param {Plotly} plotly
   * @param {Content} content
   */
  async draw(plotly, content) {
    const { data, layout } = plotlyFigure(this.definition, this.box, content);
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    await plotly.react(this.plot, data, layout, CONFIG);
    if (!this.isListening) this.#listen();
  }

  #listen() {
    this.isListening = true;
    const plot = /** @type {PlotlyEvents} */ (/** @type {unknown} */ (this.plot));
    plot.on("plotly_relayout", (change) => {
      const range = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (range.every(Number.isFinite)) this.on.zoom(range);
    });
    plot.on("plotly_doubleclick", () => this.on.zoom(null));
    plot.on("plotly_click", ({ points }) => this.on.seek(Math.round(points[0].x)));
  }

  /**
   * Move the cursor to a frame's step, and show the values there.
   * @param {FrameInfo} info
   * @param {number[]} range the visible steps, from and to
   * @param {Metrics | null} metrics
   * @param {ComparedMetrics | null} compared
   */
  moveCursor(info, [from, to], metrics, compared) {
    const { step } = info;
    const position = (step - from) / (to - from);
    this.cursor.style.visibility = position >= 0 && position <= 1 ? "visible" : "hidden";
    // A transform is not used, because changing one makes the browser compose all layers again.
    this.cursor.style.left = `${this.box.left + position * this.box.width}px`;
    const { title, lines, ofRegions, format } = this.definition;
    // While two runs are compared, the table of differences marks it.
    setText(this.title, ofRegions && !compared ? titleForFirst(title, [info]) : title);
    lines.forEach((line, index) => {
      const value = format(frameValue(info, metrics, line, step));
      setText(this.values[index], line.label ? `${line.label} ${value}` : value);
    });
    if (!compared) return;
    const value = frameValue(compared.info, compared.metrics, lines[0], step / compared.stretch);
    setText(this.comparedValue, format(value));
  }
}

/**
 * Return a metric at a frame's step. The frame's own value comes first: while a run is live the frame
 * may arrive before its metrics, and the metrics of a long run are thinned.
 * @param {FrameInfo | undefined} info
 * @param {Metrics | null} metrics
 * @param {Line} line
 * @param {number} step
 * @returns {number | null}
 */
function frameValue(info, metrics, line, step) {
  const values = /** @type {Object<string, any> | undefined} */ (info);
  return values?.[line.name] ?? valueAt(metrics, line, step);
}

/**
 * @param {HTMLElement} element
 * @param {Object<string, number>} box CSS properties in pixels
 */
function setPosition({ style }, box) {
  for (const [side, pixels] of Object.entries(box)) style.setProperty(side, `${pixels}px`);
}
