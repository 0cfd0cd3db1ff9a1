import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandPath,
  extentOf,
  HEIGHT,
  meanPath,
  ticks,
  WIDTH,
  xOf,
  yOf,
} from "../../../../dashboard/assets/sweeps/band-lines.js";

const CURVE = { epoch: [1, 2], mean: [0.5, 0.75], low: [0.25, 0.7], high: [0.6, 0.8] };

test("ticks are round numbers around a range", () => {
  assert.deepEqual(ticks(0, 1), [0, 0.25, 0.5, 0.75, 1]);
  assert.deepEqual(ticks(0.962, 0.981), [0.96, 0.965, 0.97, 0.975, 0.98, 0.985]);
  assert.deepEqual(ticks(0, 3), [0, 1, 2, 3]);
  assert.deepEqual(ticks(0, 2.9), [0, 1, 2, 3]);
});

test("an extent holds all curves, and the whole of the longest run", () => {
  const extent = extentOf([CURVE], 4, false);
  assert.ok(extent.low <= 0.25 && extent.high >= 0.8);
  assert.equal(xOf(extent, 4), xOf(extent, extent.epochs));
  assert.ok(xOf(extent, 4) < WIDTH && yOf(extent, extent.low) < HEIGHT);
  assert.equal(extentOf([CURVE], 4, true).low, 0);
});

test("without curves there is an extent too", () => {
  const { low, high, levels } = extentOf([], 3, false);
  assert.deepEqual([low, high], [0, 1]);
  assert.equal(levels.length, 5);
});

test("equal values have an extent", () => {
  const flat = { epoch: [1], mean: [0.1], low: [0.1], high: [0.1] };
  const { low, high } = extentOf([flat], 1, false);
  assert.ok(low <= 0.1 && high > 0.1);
});

test("a band goes along the highest values and back along the lowest", () => {
  const extent = extentOf([CURVE], 2, true);
  const points = bandPath(extent, CURVE).match(/[\d.]+ [\d.]+/g);
  /** @type {(epoch: number, value: number) => string} */
  const place = (epoch, value) =>
    `${xOf(extent, epoch).toFixed(1)} ${yOf(extent, value).toFixed(1)}`;
  assert.deepEqual(points, [place(1, 0.6), place(2, 0.8), place(2, 0.7), place(1, 0.25)]);
  assert.equal(meanPath(extent, CURVE), `M${place(1, 0.5)}L${place(2, 0.75)}`);
  assert.equal(bandPath(extent, { epoch: [], mean: [], low: [], high: [] }), "");
});

test("a curve of one point is a short line in a narrow band", () => {
  const single = { epoch: [1], mean: [0.5], low: [0.25], high: [0.75] };
  const extent = extentOf([single], 1, true);
  // Within the chart, whose right edge is that epoch.
  const x = (xOf(extent, 1) - 8).toFixed(1);
  assert.equal(meanPath(extent, single), `M${x} ${yOf(extent, 0.5).toFixed(1)}h8`);
  const height = yOf(extent, 0.25) - yOf(extent, 0.75);
  const top = yOf(extent, 0.75).toFixed(1);
  assert.equal(bandPath(extent, single), `M${x} ${top}h8v${height.toFixed(1)}h-8Z`);
  const [start] = meanPath(extentOf([single], 2, true), single).split(" ");
  assert.equal(start, `M${(xOf(extentOf([single], 2, true), 1) - 4).toFixed(1)}`);
});
