// Two runs compared: which of their steps correspond, and how their frames differ. Pure.

import { correctCount, labelledCount, titleForFirst } from "../ui/frame-text.js";
import { decimal, integer, percent } from "../ui/number-text.js";
import { firstProbes, initialProbeCount, rowsOf } from "../protocol/frame.js";
import { regionStatistics, STATISTICS } from "../geometry/region-statistics.js";

/** @import { Frame, FrameInfo } from "../protocol/types.js" */

/**
 * Return the step of the compared run that corresponds to `step` of the run.
 * @param {number} step
 * @param {"step" | "epoch"} alignment what the runs are aligned by
 * @param {number | null} runEpoch steps per epoch of the run
 * @param {number | null} comparedEpoch steps per epoch of the compared run
 */
export function correspondingStep(step, alignment, runEpoch, comparedEpoch) {
  if (alignment !== "epoch" || !runEpoch || !comparedEpoch) return step;
  return Math.round((step / runEpoch) * comparedEpoch);
}

/**
 * One measurement of two runs.
 * @typedef {object} Difference
 * @property {string} name
 * @property {string} title
 * @property {string[]} values of both runs
 * @property {string} difference of the compared run to the run
 */

/**
 * How a number is shown.
 * @typedef {object} NumberFormat
 * @property {(value: number | null | undefined) => string} text
 * @property {number} digits after the decimal point
 * @property {(value: number) => string} [differenceText] where it differs from `text`
 * @property {number} [scale] factor of a difference
 */

/** @param {number} value */
const signedInteger = (value) => (value < 0 ? `\u2212${integer(-value)}` : integer(value));

/** @type {NumberFormat} */
const COUNT = { text: integer, digits: 0, differenceText: (value) => decimal(value, 0) };

/** @type {{name: string, title: string, of: (info: FrameInfo) => number | null | undefined,
 *   format: NumberFormat}[]} */
const COMPARED_MEASUREMENTS = [
  {
    name: "step",
    title: "Step",
    of: ({ step }) => step,
    format: { text: integer, digits: 0, differenceText: signedInteger },
  },
  {
    name: "accuracy",
    title: "Accuracy",
    of: ({ accuracy }) => accuracy,
    format: {
      text: (value) => percent(value),
      digits: 1,
      differenceText: (value) => `${decimal(value, 1)} points`,
      scale: 100,
    },
  },
  {
    name: "loss",
    title: "Loss",
    of: ({ loss }) => loss,
    format: { text: (value) => decimal(value), digits: 3 },
  },
  {
    name: "right",
    title: "Probes right",
    of: (info) => labelledCount(info) ? correctCount(info) : null,
    format: COUNT,
  },
  {
    name: "stillness",
    title: "Stillness",
    of: ({ stillness }) => stillness,
    format: { text: (value) => decimal(value, 2), digits: 2 },
  },
];

/**
 * Compute the measurements of two frames and their differences: over the probes that both have, and the
 * regions of the first transformer.
 * @param {Frame} frame
 * @param {Frame} comparedFrame
 * @returns {Difference[]}
 */
export function differences(frame, comparedFrame) {
  const shared = Math.min(initialProbeCount(frame), initialProbeCount(comparedFrame));
  const frames = [firstProbes(frame, shared), firstProbes(comparedFrame, shared)];
  const infos = frames.map(({ info }) => info);
  const means = frames.map(meanRegion);
  return [
    ...COMPARED_MEASUREMENTS.map(({ name, title, of, format }) =>
      difference(name, title, infos.map(of), format)
    ),
    ...STATISTICS.map(({ title, text, digits }, index) => {
      const format = { text: orDash(text), digits };
      const values = means.map((mean) => mean[index]);
      return difference(title, titleForFirst(title, infos), values, format);
    }),
  ];
}

/**
 * @param {string} name
 * @param {string} title
 * @param {(number | null | undefined)[]} values
 * @param {NumberFormat} format
 * @returns {Difference}
 */
function difference(name, title, values, { text, digits, differenceText = text, scale = 1 }) {
  // The difference is that of the numbers as they are shown.
  const [number, comparedNumber] = values.map((value) =>
    typeof value === "number" && Number.isFinite(value)
      ? Number((scale * value).toFixed(digits))
      : null
  );
  return {
    name,
    title,
    values: values.map((value) => text(value)),
    difference: number === null || comparedNumber === null
      ? "–"
      : signed(comparedNumber - number, differenceText),
  };
}

/**
 * @param {number} value
 * @param {(value: number) => string} text
 */
const signed = (value, text) => (value > 0 ? `+${text(value)}` : text(value));

/**
 * @param {(value: number) => string} text
 * @returns {(value: number | null | undefined) => string}
 */
const orDash = (text) => (value) =>
  typeof value === "number" && Number.isFinite(value) ? text(value) : "–";

/**
 * Compute the mean statistics of the first transformer's regions; null for a network without one.
 * @param {Frame} frame
 * @returns {(number | null)[]}
 */
function meanRegion({ info, tensors }) {
  if (!info.transformers.length) return STATISTICS.map(() => null);
  const lattices = rowsOf(tensors[`grid.${info.transformers[0].name}`]);
  const [height, width] = tensors.input.shape.slice(1, 3);
  return regionStatistics(lattices, [height, width]).map(({ mean }) => mean);
}
