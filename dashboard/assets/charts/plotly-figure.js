// The charts as Plotly figures: which lines, where each plot stands, in which colours. Pure but for
// the colours, which are read off the page.

import { smooth } from "../run/metrics.js";
import { decimal, percent } from "../ui/text.js";

const degrees = (radians) => (180 / Math.PI) * radians;
const same = (value) => value;

// Those of `regions` say nothing of networks without a transformer.
export const CHARTS = [
  {
    title: "Loss",
    lines: [{ name: "loss", smoothed: 8 }],
    rangemode: "tozero",
    text: (value) => decimal(value, 2),
  },
  {
    title: "Accuracy",
    lines: [{ name: "accuracy", steps: true }],
    text: (value) => percent(value),
    ticks: ".0%",
    range: [0, 1.02],
  },
  {
    title: "Scale",
    regions: true,
    lines: [{ name: "scale" }],
    text: (value) => decimal(value, 2),
    atLeast: [0.5, 1.05],
  },
  {
    title: "Rotation",
    regions: true,
    lines: [{ name: "rotation", as: degrees }],
    text: (value) => (Number.isFinite(value) ? `${decimal(value, 0)}°` : "–"),
    ticks: ".0f",
    suffix: "°",
    atLeast: [-15, 15],
  },
  {
    title: "Position",
    regions: true,
    lines: [
      { name: "shift_x", label: "x" },
      { name: "shift_y", label: "y" },
    ],
    text: (value) => decimal(value, 2),
    atLeast: [-0.2, 0.2],
  },
  {
    title: "Steps/s",
    lines: [{ name: "steps_per_second", smoothed: 8 }],
    rangemode: "tozero",
    text: (value) => decimal(value, 1),
  },
];

// Around a plot, for its tick labels; below one that has others under it there is no such room.
export const MARGIN = { left: 40, right: 16, top: 2, bottom: 20 };
export const HEAD = 22; // room for a plot's title above it
const BETWEEN = 46; // between plots side by side; holds the tick labels of the right one
const POINTS = 500;
// Fewer points than this are marked: a line through one of them would not be seen.
const FEW = 25;

/** What a line shows at `step`; null where nothing was measured. */
export function valueAt(series, { name, as = same }, step) {
  const value = series?.at(name, step) ?? null;
  return value === null ? null : as(value);
}

/**
 * Where each of `count` plots stands, in a figure of so many pixels, with so many side by side.
 * @returns {{left: number, top: number, width: number, height: number, lowest: boolean}[]}
 */
export function plotBoxes(width, height, columns, count) {
  const rows = Math.ceil(count / columns);
  const inside = width - MARGIN.left - MARGIN.right - (columns - 1) * BETWEEN;
  const plot = { width: inside / columns, height: (height - MARGIN.top - MARGIN.bottom) / rows };
  return Array.from({ length: count }, (_, index) => ({
    left: MARGIN.left + (index % columns) * (plot.width + BETWEEN),
    top: MARGIN.top + Math.floor(index / columns) * plot.height + HEAD,
    width: plot.width,
    height: plot.height - HEAD,
    lowest: index + columns >= count,
  }));
}

/** The page's colours and font, as Plotly takes them. */
export function themeColours(from) {
  const style = getComputedStyle(from);
  const value = (name) => solid(style.getPropertyValue(name).trim());
  return {
    text: value("--stn-quiet"),
    grid: value("--stn-hair"),
    font: style.fontFamily,
    lines: [value("--stn-line-1"), value("--stn-line-2")],
    other: value("--stn-line-3"),
  };
}

// Any colour that CSS knows, as one that Plotly knows.
function solid(colour) {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
}

/**
 * One chart as Plotly takes it.
 * @param {number} index which of CHARTS
 * @param {object} box where its plot stands, from `boxes`
 * @param {{series: object, other: {series: object, stretch: number} | null, range: number[],
 *   epoch: number | null, look: object}} shown `other` is a second run's, and how many steps here
 *   one of its steps is; `range` the window of steps that is seen; `epoch` the steps of one; `look`
 *   the colours from `looks`
 */
export function plotlyFigure(index, box, { series, other, range, epoch, look }) {
  const chart = CHARTS[index];
  const lines = linesOf(chart, Boolean(other));
  const own = lines.map((line, place) => trace(chart, line, place, { series, range, look }));
  const second = other ? [beside(chart, other, range, look)] : [];
  return { data: [...second, ...own], layout: layout(chart, box, range, epoch, look) };
}

/** The lines that a chart has; two runs leave no room for more than one line of each. */
export const linesOf = ({ lines }, paired) => (paired ? lines.slice(0, 1) : lines);

// A second run's line, below the first one's.
function beside(chart, { series, stretch }, range, look) {
  const own = range.map((step) => step / stretch);
  const made = trace(chart, chart.lines[0], 0, { series, range: own, look });
  return {
    ...made,
    x: made.x.map((step) => step * stretch),
    hovertemplate: hovered(chart),
    line: { ...made.line, color: look.other, dash: "dot" },
  };
}

function trace(chart, { name, label, as = same, smoothed, steps }, place, { series, range, look }) {
  const [from, to] = range;
  const points = series?.points(name, { from, to, limit: POINTS }) ?? { x: [], y: [] };
  const values = smoothed ? smooth(points.y, smoothed) : points.y;
  return {
    x: points.x,
    y: values.map(as),
    name: label ?? chart.title,
    mode: points.x.length < FEW ? "lines+markers" : "lines",
    marker: { size: 4 },
    line: {
      color: look.lines[place],
      width: 1.5,
      shape: steps ? "hv" : "linear",
      // Told apart without colour too.
      dash: place ? "dash" : "solid",
    },
    hovertemplate: `${place ? "" : "%{x}: "}${hovered(chart)}`,
  };
}

// What stands beside a point; at one line of all the step does too, named by the axis.
const hovered = ({ ticks = ".3~g" }) => `%{y:${ticks}}<extra></extra>`;

// Ticks at whole epochs where several are seen. The mode is said each time: Plotly keeps the last
// one, and with no distance given in the linear one it would draw a tick for every step.
function epochTicks([from, to], epoch) {
  const epochs = epoch ? (to - from) / epoch : 0;
  if (epochs < 1.5) return { tickmode: "auto", dtick: null, nticks: 4 };
  return { tickmode: "linear", dtick: epoch * Math.ceil(epochs / 4), tick0: 0 };
}

function layout(chart, box, range, epoch, look) {
  const shared = { gridcolor: look.grid, zeroline: false, linecolor: look.grid, ticklen: 0 };
  return {
    width: box.width + MARGIN.left + MARGIN.right,
    height: box.height + MARGIN.top + MARGIN.bottom,
    margin: { l: MARGIN.left, r: MARGIN.right, t: MARGIN.top, b: MARGIN.bottom, pad: 0 },
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    showlegend: false,
    hovermode: "x",
    font: { family: look.font, size: 11, color: look.text },
    hoverlabel: { font: { size: 11 } },
    xaxis: {
      ...shared,
      range,
      showticklabels: box.lowest,
      tickprefix: "step ",
      showtickprefix: "first",
      ...epochTicks(range, epoch),
    },
    yaxis: {
      ...shared,
      fixedrange: true,
      nticks: 4,
      range: chart.range,
      rangemode: chart.rangemode,
      // Small changes look small, and the axis does not jump with them.
      autorangeoptions: { include: chart.atLeast },
      tickformat: chart.ticks,
      ticksuffix: chart.suffix,
    },
  };
}
