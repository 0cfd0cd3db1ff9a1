// The charts, one row each: which recorded metrics they draw, and how values are written. Pure.

import { decimal, percent, significant } from "../ui/number-text.js";

/**
 * A line of a chart.
 * @typedef {object} Line
 * @property {string} name of the metric, as recorded
 * @property {string} [label] where a chart has several lines
 * @property {(value: number) => number} [convert] from the recorded unit to the drawn one
 * @property {number} [smoothed] points after which a value's weight in the average is halved
 * @property {boolean} [isStepped] whether a value holds until the next one
 */

/**
 * @typedef {object} ChartDefinition
 * @property {string} title
 * @property {Line[]} lines
 * @property {(value: number | null) => string} format for the value beside the title
 * @property {boolean} [ofRegions] whether a network without transformers lacks it
 * @property {boolean} [isScalar] whether it is of a further metric of a watched run
 * @property {"tozero"} [rangemode] of the y axis, as Plotly defines it
 * @property {[number, number]} [range] fixed, of the y axis
 * @property {[number, number]} [include] values that the y axis includes, so that small changes look
 *   small and the axis does not follow them
 * @property {string} [tickformat] of the y axis
 * @property {string} [ticksuffix] of the y axis
 * @property {"e"} [exponentformat] of the y axis
 */

/** @param {number} radians */
const degrees = (radians) => (180 / Math.PI) * radians;
/** @param {number | null} value */
const twoDecimals = (value) => decimal(value, 2);

/** @type {ChartDefinition[]} */
export const CHARTS = [
  {
    title: "Loss",
    lines: [{ name: "loss", smoothed: 8 }],
    format: twoDecimals,
    rangemode: "tozero",
  },
  {
    title: "Accuracy",
    lines: [{ name: "accuracy", isStepped: true }],
    format: (value) => percent(value),
    range: [0, 1.02],
    tickformat: ".0%",
  },
  {
    title: "Scale",
    lines: [{ name: "scale" }],
    format: twoDecimals,
    ofRegions: true,
    include: [0.5, 1.05],
  },
  {
    title: "Rotation",
    lines: [{ name: "rotation", convert: degrees }],
    format: (value) => (Number.isFinite(value) ? `${decimal(value, 0)}°` : "–"),
    ofRegions: true,
    include: [-15, 15],
    tickformat: ".0f",
    ticksuffix: "°",
  },
  {
    title: "Position",
    lines: [
      { name: "shift_x", label: "x" },
      { name: "shift_y", label: "y" },
    ],
    format: twoDecimals,
    ofRegions: true,
    include: [-0.2, 0.2],
  },
  {
    title: "Steps/s",
    lines: [{ name: "steps_per_second", smoothed: 8 }],
    format: (value) => decimal(value, 1),
    rangemode: "tozero",
  },
];

/**
 * Return the chart of a further metric of a watched run.
 * @param {string} name
 * @param {string} column in the metrics
 * @returns {ChartDefinition}
 */
export const scalarChart = (name, column) => ({
  title: name,
  lines: [{ name: column }],
  format: significant,
  isScalar: true,
  exponentformat: "e",
});

/**
 * Return the lines that a chart draws of a run: only the first while two runs are compared.
 * @param {ChartDefinition} chart
 * @param {boolean} isCompared
 */
export const drawnLines = ({ lines }, isCompared) => (isCompared ? lines.slice(0, 1) : lines);
