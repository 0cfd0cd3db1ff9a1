// What a sweep has measured: probability and stillness over one variation, and its table. Pure.

import { rowOf } from "../protocol/frame.js";
import { stillness } from "../geometry/stillness.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { VariationEntry } from "./variations.js" */

/**
 * One value of the variation, and the frames of the picture there.
 * @typedef {object} SweepPoint
 * @property {number} value
 * @property {Frame} frame
 * @property {Frame | null} without of the network without a transformer
 */

/**
 * A line over the values of a sweep; null where it is undefined.
 * @typedef {{title: string, values: (number | null)[]}} Curve
 */

/** Values of a sweep at most. Exported for tests. */
export const POINTS = 41;
// Frames that one value of stillness is computed over.
const WINDOW = 5;

/**
 * Return the values of a variation from end to end.
 * @param {Pick<VariationEntry, "minimum" | "maximum" | "step">} entry
 */
export function sweepValues({ minimum, maximum, step }) {
  const count = Math.min(POINTS, Math.round((maximum - minimum) / step) + 1);
  return Array.from({ length: count }, (_, index) => {
    const value = minimum + ((maximum - minimum) * index) / (count - 1);
    return Number((Math.round(value / step) * step).toFixed(6));
  });
}

/**
 * Return the curves of a sweep.
 * @param {SweepPoint[]} points in the order of their values
 * @param {number} label class whose probability is shown
 * @returns {Curve[]}
 */
export function sweepCurves(points, label) {
  /** @type {Curve[]} */
  const curves = [
    {
      title: "Probability with the transformer",
      values: points.map(({ frame }) => probabilityOf(frame, label)),
    },
  ];
  if (points.some(({ without }) => without)) {
    curves.push({
      title: "Probability without it",
      values: points.map(({ without }) => without && probabilityOf(without, label)),
    });
  }
  if (points.some(({ frame }) => frame.info.transformers.length)) {
    curves.push({ title: "Stillness", values: stillnessAlong(points) });
  }
  return curves;
}

/**
 * Return the stillness around each value.
 * @param {SweepPoint[]} points
 */
const stillnessAlong = (points) =>
  points.map((_, index) => {
    const from = Math.min(Math.max(0, index - (WINDOW >> 1)), Math.max(0, points.length - WINDOW));
    return sweepStillness(points.slice(from, from + WINDOW));
  });

/**
 * Return the stillness over all values of a sweep, of the last transformer.
 * @param {SweepPoint[]} points
 */
export function sweepStillness(points) {
  const frames = points.map(({ frame }) => frame);
  const name = frames[0]?.info.transformers.at(-1)?.name;
  if (name === undefined) return null;
  /** @param {string} tensor */
  const images = (tensor) =>
    frames.map(({ tensors }) => ({
      data: rowOf(tensors[tensor], 0),
      shape: tensors[tensor].shape.slice(1),
    }));
  return stillness(images("input"), images(`output.${name}`));
}

/**
 * @param {Frame} frame
 * @param {number} label
 */
const probabilityOf = ({ tensors }, label) => rowOf(tensors.probabilities, 0)[label] ?? null;

/**
 * Return a sweep as CSV: a line for each value.
 * @param {string} name of the variation
 * @param {SweepPoint[]} points
 * @param {Curve[]} curves
 */
export function sweepTable(name, points, curves) {
  const transformers = points[0]?.frame.info.transformers ?? [];
  const thetas = transformers.flatMap(({ name: transformer }) => {
    const { shape } = points[0].frame.tensors[`theta.${transformer}`];
    return Array.from({ length: shape[1] }, (_, index) => ({ transformer, index }));
  });
  const header = [
    name,
    ...curves.map(({ title }) => title.toLowerCase().replaceAll(" ", "_")),
    ...thetas.map(({ transformer, index }) => `theta.${transformer}.${index}`),
  ];
  const lines = points.map(({ value, frame }, row) => [
    value,
    ...curves.map(({ values }) => values[row] ?? ""),
    ...thetas.map(({ transformer, index }) =>
      rowOf(frame.tensors[`theta.${transformer}`], 0)[index]
    ),
  ]);
  return `${[header, ...lines].map((cells) => cells.join(",")).join("\n")}\n`;
}
