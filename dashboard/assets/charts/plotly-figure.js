// A chart as a Plotly figure: its lines, axes and colours. Pure but for the colours, which are read
// from the page.

import { smooth } from "../playback/metrics.js";
import { drawnLines } from "./chart-definitions.js";

/** @import { Metrics } from "../playback/metrics.js" */
/** @import { FrameInfo } from "../protocol/types.js" */
/** @import { ChartDefinition, Line } from "./chart-definitions.js" */

/**
 * The page's colours and font.
 * @typedef {{text: string, grid: string, font: string, lines: string[], compared: string}} ThemeColours
 */

/**
 * A plot's position within the charts, in CSS pixels.
 * @typedef {{left: number, top: number, width: number, height: number, isLowest: boolean}} PlotBox
 */

/**
 * The compared run, whose lines are drawn below those of the run on the stage.
 * @typedef {object} ComparedMetrics
 * @property {Metrics} metrics
 * @property {number} stretch steps of the run on the stage for each of its steps
 * @property {FrameInfo} [info] of its frame on the stage
 */

/**
 * The data of a chart.
 * @typedef {object} Content
 * @property {Metrics | null} metrics
 * @property {ComparedMetrics | null} compared
 * @property {number[]} range the visible steps, from and to
 * @property {number | null} stepsPerEpoch
 * @property {ThemeColours} colours
 */

// Around a plot, for its tick labels; a plot with others below it needs none at its lower edge.
export const MARGIN = { left: 40, right: 16, top: 2, bottom: 20 };
export const TITLE_HEIGHT = 22;
const COLUMN_GAP = 46; // has space for the tick labels of the right plot
const MAX_POINTS = 500;
// Fewer points than this are drawn with markers: a line through a single one is invisible.
const MIN_UNMARKED_POINTS = 25;

/**
 * Return a line's value at a step, or the nearest one before it; null where nothing was measured.
 * @param {Metrics | null} metrics
 * @param {Line} line
 * @param {number} step
 */
export function valueAt(metrics, { name, convert = identity }, step) {
  const value = metrics?.valueAt(name, step) ?? null;
  return value === null ? null : convert(value);
}

/** @param {number} value */
const identity = (value) => value;

/**
 * Lay plots out in columns.
 * @param {number} width of all charts, in CSS pixels
 * @param {number} height of all charts, in CSS pixels
 * @param {number} columns
 * @param {number} count of plots
 * @returns {PlotBox[]}
 */
export function plotBoxes(width, height, columns, count) {
  const rows = Math.ceil(count / columns);
  const innerWidth = width - MARGIN.left - MARGIN.right - (columns - 1) * COLUMN_GAP;
  const plotWidth = innerWidth / columns;
  const plotHeight = (height - MARGIN.top - MARGIN.bottom) / rows;
  return Array.from({ length: count }, (_, index) => ({
    left: MARGIN.left + (index % columns) * (plotWidth + COLUMN_GAP),
    top: MARGIN.top + Math.floor(index / columns) * plotHeight + TITLE_HEIGHT,
    width: plotWidth,
    height: plotHeight - TITLE_HEIGHT,
    isLowest: index + columns >= count,
  }));
}

/**
 * Read the page's colours and font in a form that Plotly accepts.
 * @param {Element} element
 * @returns {ThemeColours}
 */
export function themeColours(element) {
  const style = getComputedStyle(element);
  /** @param {string} name of a custom property */
  const colour = (name) => rgbColour(style.getPropertyValue(name).trim());
  return {
    text: colour("--stn-muted"),
    grid: colour("--stn-divider"),
    font: style.fontFamily,
    lines: [colour("--stn-line-1"), colour("--stn-line-2")],
    compared: colour("--stn-line-3"),
  };
}

/**
 * Convert any CSS colour to one that Plotly can parse.
 * @param {string} colour
 */
function rgbColour(colour) {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return colour;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

/**
 * Build the Plotly figure of a chart.
 * @param {ChartDefinition} chart
 * @param {PlotBox} box
 * @param {Content} content
 */
export function plotlyFigure(chart, box, { metrics, compared, range, stepsPerEpoch, colours }) {
  const lines = drawnLines(chart, compared !== null);
  const traces = lines.map((line, index) => ({
    ...trace(chart, line, index > 0, metrics, range),
    line: {
      color: colours.lines[index],
      width: LINE_WIDTH,
      shape: lineShape(line),
      // Distinguishable without colour too.
      dash: index ? "dash" : "solid",
    },
  }));
  const comparedTraces = compared ? [comparedTrace(chart, compared, range, colours)] : [];
  return {
    data: [...comparedTraces, ...traces],
    layout: layout(chart, box, range, stepsPerEpoch, colours),
  };
}

const LINE_WIDTH = 1.5;

/** @param {Line} line */
const lineShape = ({ isStepped }) => (isStepped ? "hv" : "linear");

/**
 * Return the trace of the compared run's first line, over the steps of the run on the stage.
 * @param {ChartDefinition} chart
 * @param {ComparedMetrics} compared
 * @param {number[]} range
 * @param {ThemeColours} colours
 */
function comparedTrace(chart, { metrics, stretch }, range, colours) {
  const [line] = chart.lines;
  const made = trace(chart, line, true, metrics, range.map((step) => step / stretch));
  return {
    ...made,
    x: made.x.map((step) => step * stretch),
    line: {
      color: colours.compared,
      width: LINE_WIDTH,
      shape: lineShape(line),
      dash: "dot",
    },
  };
}

/**
 * @param {ChartDefinition} chart
 * @param {Line} line
 * @param {boolean} isSecond whether its tooltip leaves out the step, which another line's shows
 * @param {Metrics | null} metrics
 * @param {number[]} range
 */
function trace(chart, line, isSecond, metrics, [from, to]) {
  const { name, label, convert = identity, smoothed } = line;
  const points = metrics?.points(name, { from, to, limit: MAX_POINTS }) ?? { x: [], y: [] };
  const values = smoothed ? smooth(points.y, smoothed) : points.y;
  const value = `%{y:${chart.tickformat ?? ".3~g"}}<extra></extra>`;
  return {
    x: points.x,
    y: values.map(convert),
    name: label ?? chart.title,
    mode: points.x.length < MIN_UNMARKED_POINTS ? "lines+markers" : "lines",
    marker: { size: 4 },
    hovertemplate: isSecond ? value : `%{x}: ${value}`,
  };
}

/**
 * Return ticks at whole epochs where several are visible. The mode is always set: Plotly keeps the previous
 * one, and in the linear mode without a distance it would draw a tick for every step.
 * @param {number[]} range
 * @param {number | null} stepsPerEpoch
 */
function epochTicks([from, to], stepsPerEpoch) {
  const epochs = stepsPerEpoch ? (to - from) / stepsPerEpoch : 0;
  if (!stepsPerEpoch || epochs < 1.5) return { tickmode: "auto", dtick: null, nticks: 4 };
  return { tickmode: "linear", dtick: stepsPerEpoch * Math.ceil(epochs / 4), tick0: 0 };
}

/**
 * @param {ChartDefinition} chart
 * @param {PlotBox} box
 * @param {number[]} range
 * @param {number | null} stepsPerEpoch
 * @param {ThemeColours} colours
 * @returns {Object<string, any>}
 */
function layout(chart, box, range, stepsPerEpoch, colours) {
  const axis = { gridcolor: colours.grid, zeroline: false, linecolor: colours.grid, ticklen: 0 };
  return {
    width: box.width + MARGIN.left + MARGIN.right,
    height: box.height + MARGIN.top + MARGIN.bottom,
    margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom, pad: 0 },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    showlegend: false,
    hovermode: "x",
    font: { family: colours.font, size: 11, color: colours.text },
    hoverlabel: { font: { size: 11 } },
    xaxis: {
      ...axis,
      range,
      showticklabels: box.isLowest,
      tickprefix: "step ",
      showtickprefix: "first",
      ...epochTicks(range, stepsPerEpoch),
    },
    yaxis: {
      ...axis,
      fixedrange: true,
      nticks: 4,
      range: chart.range,
      rangemode: chart.rangemode,
      autorangeoptions: { include: chart.include },
      tickformat: chart.tickformat,
      ticksuffix: chart.ticksuffix,
      exponentformat: chart.exponentformat,
    },
  };
}
