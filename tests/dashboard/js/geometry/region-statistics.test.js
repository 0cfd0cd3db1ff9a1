import assert from "node:assert/strict";
import { test } from "node:test";

import {
  meanImage,
  regionStatistics,
} from "../../../../dashboard/assets/geometry/region-statistics.js";
import { latticeOf, near } from "../lattices.js";

test("the mean picture, rounded", () => {
  const data = Uint8Array.from([0, 10, 255, 3, /* the other */ 1, 20, 255, 4]);
  const mean = meanImage({ data, shape: [2, 2, 2, 1] });
  assert.deepEqual([[...mean.data], mean.shape], [[1, 15, 255, 4], [2, 2, 1]]);
});

test("how regions spread", () => {
  const size = [40, 40];
  const lattices = [
    [0.5, 0, 0.2, 0, 1, 0],
    [0.7, 0, -0.2, 0, 1, 0],
  ].map((map) => latticeOf(map, size));
  const [width, height, rotation, x] = regionStatistics(lattices, size);
  near([width.mean, width.deviation, height.mean, height.deviation], [0.6, 0.1, 1, 0]);
  near([rotation.mean, x.mean, x.deviation], [0, 0, 0.2]);
});
