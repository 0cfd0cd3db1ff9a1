// Statistics over the probes of a frame: the mean image, and the mean and deviation of the
// regions' width, height, rotation and position. Pure.

import { decomposeRegion, meanAndDeviation } from "./region-geometry.js";
import { decimal } from "../ui/number-text.js";

/** @import { Tensor } from "../protocol/types.js" */
/** @import { Lattice, RegionPose } from "./region-geometry.js" */

/**
 * A number that describes a region.
 * @typedef {object} Statistic
 * @property {string} title
 * @property {(pose: RegionPose) => number} of
 * @property {number} digits
 * @property {string} [unit]
 * @property {number} from where its axis begins at the latest, so that small deviations look small
 * @property {number} to where its axis ends at the earliest
 */

/**
 * The values of one statistic over all probes.
 * @typedef {{title: string, values: number[], mean: number, deviation: number}} Distribution
 */

/**
 * Return the mean of N images.
 * @param {Tensor} images (N, H, W, C) in bytes
 * @returns {{data: Uint8Array, shape: number[]}} (H, W, C) in bytes
 */
export function meanImage({ data, shape }) {
  const [count, ...image] = shape;
  const size = data.length / count;
  const sums = new Float32Array(size);
  for (let index = 0; index < data.length; index++) sums[index % size] += data[index];
  return { data: Uint8Array.from(sums, (sum) => sum / count + 0.5), shape: image };
}

/** @param {number} radians */
const degrees = (radians) => (180 / Math.PI) * radians;

/** @type {Statistic[]} */
const POSE = [
  { title: "Width", of: ({ scaleX }) => scaleX, digits: 2, from: 0, to: 1.5 },
  { title: "Height", of: ({ scaleY }) => scaleY, digits: 2, from: 0, to: 1.5 },
  {
    title: "Rotation",
    of: ({ rotation }) => degrees(rotation),
    digits: 0,
    unit: "°",
    from: -90,
    to: 90,
  },
  { title: "Position x", of: ({ shiftX }) => shiftX, digits: 2, from: -1, to: 1 },
  { title: "Position y", of: ({ shiftY }) => shiftY, digits: 2, from: -1, to: 1 },
];

/** The statistics that are shown, each with a function that formats its values. */
export const STATISTICS = POSE.map((statistic) => ({
  ...statistic,
  /** @param {number} value */
  text: (value) => `${decimal(value, statistic.digits)}${statistic.unit ?? ""}`,
}));

/**
 * Return the distribution of each statistic over the regions of N probes.
 * @param {Lattice[]} lattices
 * @param {number[]} size height and width of the input
 * @returns {Distribution[]}
 */
export function regionStatistics(lattices, size) {
  const poses = lattices.map((lattice) => decomposeRegion(lattice, size));
  return STATISTICS.map(({ title, of }) => {
    const values = poses.map(of).filter(Number.isFinite);
    return { title, values, ...meanAndDeviation(values) };
  });
}
