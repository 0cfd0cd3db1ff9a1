import assert from "node:assert/strict";
import { test } from "node:test";

import { bilinearSample } from "../../../../dashboard/assets/geometry/bilinear-sample.js";
import { latticeOf, near } from "../lattices.js";

const IDENTITY = latticeOf([1, 0, 0, 0, 1, 0], [8, 8]);

test("at the identity a pixel is sampled from its own place alone", () => {
  const { x, y, around } = bilinearSample(IDENTITY, { row: 2, column: 5 }, [8, 8]);
  near([x, y], [5.5, 2.5]);
  near([around[0].weight], [1]);
  assert.deepEqual([around[0].row, around[0].column], [2, 5]);
});

test("between pixels each counts by how near it is", () => {
  // An output of 4 by 4 over 8 by 8 pixels samples where four pixels meet.
  const { around } = bilinearSample(IDENTITY, { row: 1, column: 0 }, [4, 4]);
  near(
    around.map(({ weight }) => weight),
    [0.25, 0.25, 0.25, 0.25],
  );
  assert.deepEqual(
    around.map(({ row, column }) => [row, column]),
    [
      [2, 0],
      [2, 1],
      [3, 0],
      [3, 1],
    ],
  );
});

test("weights add up to one, beyond the edge too", () => {
  const lattice = latticeOf([1.3, 0.2, 0.4, -0.1, 0.9, -0.6], [8, 8]);
  const { around } = bilinearSample(lattice, { row: 0, column: 7 }, [8, 8]);
  near([around.reduce((sum, { weight }) => sum + weight, 0)], [1]);
  assert.ok(around.some(({ column }) => column >= 8));
});
