import assert from "node:assert/strict";
import { test } from "node:test";

import {
  meanImage,
  regionStatistics,
} from "../../../../dashboard/assets/geometry/region-statistics.js";
import { assertClose, latticeOf } from "../lattices.js";

test("meanImage rounds the mean", () => {
  const data = Uint8Array.from([0, 10, 255, 3, /* the second image */ 1, 20, 255, 4]);
  const mean = meanImage({ data, shape: [2, 2, 2, 1] });
  assert.deepEqual([[...mean.data], mean.shape], [[1, 15, 255, 4], [2, 2, 1]]);
});

test("regionStatistics returns mean and deviation of each statistic", () => {
  const size = [40, 40];
  const lattices = [
    [0.5, 0, 0.2, 0, 1, 0],
    [0.7, 0, -0.2, 0, 1, 0],
  ].map((map) => latticeOf(map, size));
  const [width, height, rotation, x] = regionStatistics(lattices, size);
  assertClose([width.mean, width.deviation, height.mean, height.deviation], [0.6, 0.1, 1, 0]);
  assertClose([rotation.mean, x.mean, x.deviation], [0, 0, 0.2]);
});
