import assert from "node:assert/strict";
import { test } from "node:test";

import { bilinearSample } from "../../../../dashboard/assets/geometry/bilinear-sample.js";
import { assertClose, latticeOf } from "../lattices.js";

const IDENTITY = latticeOf([1, 0, 0, 0, 1, 0], [8, 8]);

test("under the identity a pixel is sampled from the same pixel alone", () => {
  const { x, y, neighbours } = bilinearSample(IDENTITY, { row: 2, column: 5 }, [8, 8]);
  assertClose([x, y], [5.5, 2.5]);
  assertClose([neighbours[0].weight], [1]);
  assert.deepEqual([neighbours[0].row, neighbours[0].column], [2, 5]);
});

test("between pixels each is weighted by its distance", () => {
  // An output of 4x4 over 8x8 pixels is sampled where four pixels meet.
  const { neighbours } = bilinearSample(IDENTITY, { row: 1, column: 0 }, [4, 4]);
  assertClose(neighbours.map(({ weight }) => weight), [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual(
    neighbours.map(({ row, column }) => [row, column]),
    [[2, 0], [2, 1], [3, 0], [3, 1]],
  );
});

test("weights sum to one, also beyond the edge", () => {
  const lattice = latticeOf([1.3, 0.2, 0.4, -0.1, 0.9, -0.6], [8, 8]);
  const { neighbours } = bilinearSample(lattice, { row: 0, column: 7 }, [8, 8]);
  assertClose([neighbours.reduce((sum, { weight }) => sum + weight, 0)], [1]);
  assert.ok(neighbours.some(({ column }) => column >= 8));
});
