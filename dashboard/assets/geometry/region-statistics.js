// Many pictures or regions as one: means and deviations. Pure.

import { decomposeRegion, meanAndDeviation } from "./region-geometry.js";
import { decimal } from "../ui/text.js";

/** The mean of N pictures (N, H, W, C) in bytes, as one (H, W, C). */
export function meanImage({ data, shape }) {
  const [count, ...picture] = shape;
  const size = data.length / count;
  const sums = new Float32Array(size);
  for (let at = 0; at < data.length; at++) sums[at % size] += data[at];
  return { data: Uint8Array.from(sums, (sum) => sum / count + 0.5), shape: picture };
}

const degrees = (radians) => (180 / Math.PI) * radians;

// How far a number reaches at least to either side, so that small spreads look small.
export const STATISTICS = [
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
].map((number) => ({
  ...number,
  text: (value) => `${decimal(value, number.digits)}${number.unit ?? ""}`,
}));

/**
 * How the regions of N probes spread: of each number all values, their mean and deviation.
 * @returns {{title: string, values: number[], mean: number, deviation: number}[]}
 */
export function regionStatistics(lattices, size) {
  const readings = lattices.map((lattice) => decomposeRegion(lattice, size));
  return STATISTICS.map(({ title, of }) => {
    const values = readings.map(of).filter(Number.isFinite);
    return { title, values, ...meanAndDeviation(values) };
  });
}
