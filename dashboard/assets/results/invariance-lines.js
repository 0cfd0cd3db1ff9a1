// The lines of charts of accuracy over strength: their geometry, looks and texts. Pure.

import { decimal, percent } from "../ui/number-text.js";

/** @import { InvarianceCurve, InvarianceNetwork, InvarianceTable } from "../protocol/types.js" */

/** @typedef {ReturnType<typeof lineStyles>[number]} LineStyle */

// Of a chart, in its own units.
export const WIDTH = 300;
export const HEIGHT = 124;
const LEFT = 26;
const RIGHT = 8;
const TOP = 6;
const BOTTOM = 18;

/** @param {number} strength */
export const xOf = (strength) => LEFT + strength * (WIDTH - LEFT - RIGHT);
/** @param {number} accuracy */
export const yOf = (accuracy) => TOP + (1 - accuracy) * (HEIGHT - TOP - BOTTOM);

/** @param {InvarianceCurve} curve */
export const linePath = ({ points }) =>
  points.map(({ strength, accuracy }, index) =>
    `${index ? "L" : "M"}${xOf(strength).toFixed(1)} ${yOf(accuracy).toFixed(1)}`
  ).join("");

/**
 * Return a path around a curve, two standard errors to both sides.
 * @param {InvarianceCurve} curve
 */
export function bandPath({ points }) {
  const edge = (/** @type {number} */ sign) =>
    points.map(({ strength, accuracy, standard_error }) => {
      const value = Math.min(
        1,
        Math.max(0, accuracy + sign * 2 * standard_error),
      );
      return `${xOf(strength).toFixed(1)} ${yOf(value).toFixed(1)}`;
    });
  return `M${[...edge(1), ...edge(-1).reverse()].join("L")}Z`;
}

/**
 * Return the index of the strength that is nearest to a position in a chart.
 * @param {number} x from 0, the chart's left edge, to 1
 * @param {number[]} strengths
 */
export function nearestStrength(x, strengths) {
  const strength = (x * WIDTH - xOf(0)) / (xOf(1) - xOf(0));
  const distances = strengths.map((each) => Math.abs(each - strength));
  return distances.indexOf(Math.min(...distances));
}

/**
 * Return the line style of each network: a colour for its architecture, a dash for its training.
 * @param {InvarianceNetwork[]} networks
 */
export function lineStyles(networks) {
  const architectures = distinct(networks.map(architectureOf));
  // The network with transformers has the first colour.
  architectures.sort((one, other) => Number(has(networks, other)) - Number(has(networks, one)));
  const trainings = distinct(
    networks.map(({ result }) => result.training.distortion),
  );
  return networks.map((network) => ({
    colour: 1 + architectures.indexOf(architectureOf(network)) % 3,
    dash: 1 + trainings.indexOf(network.result.training.distortion) % 3,
  }));
}

/** @param {InvarianceNetwork} network */
const architectureOf = ({ result }) => result.architecture;

/**
 * @param {InvarianceNetwork[]} networks
 * @param {string} architecture
 */
const has = (networks, architecture) =>
  networks.some((each) => architectureOf(each) === architecture && each.transformers > 0);

/** @param {string[]} values */
const distinct = (values) => [...new Set(values)];

/**
 * Return a network's curve under a variation, or undefined.
 * @param {InvarianceNetwork} network
 * @param {string} name
 */
export const curveOf = ({ result }, name) =>
  result.curves.find(({ distortion }) => distortion === name);

/**
 * Return the row of pictures that a curve has in its network's file: of inputs, and of outputs.
 * @param {InvarianceNetwork} network
 * @param {string} name of the variation
 */
export function pictureRows({ result }, name) {
  const index = result.curves.findIndex(({ distortion }) => distortion === name);
  const rows = result.pictures.outputs ? 2 : 1;
  return {
    input: index * rows,
    output: result.pictures.outputs ? index * rows + 1 : null,
  };
}

/** @param {InvarianceCurve} curve */
export const halfLostText = ({ half_lost }) =>
  half_lost === null ? "" : `half lost at ${decimal(half_lost, 2)}`;

/**
 * Return what a chart shows, as text.
 * @param {InvarianceTable} table
 * @param {string} name of the variation
 */
export const chartText = ({ networks }, name) =>
  networks.flatMap((network) => {
    const curve = curveOf(network, name);
    if (!curve) return [];
    const [first, last] = [
      curve.points[0],
      curve.points[curve.points.length - 1],
    ];
    const half = halfLostText(curve);
    return [
      `${network.title}: ${percent(first.accuracy)} at strength 0, ` +
      `${percent(last.accuracy)} at 1${half && `, ${half}`}.`,
    ];
  }).join(" ");
