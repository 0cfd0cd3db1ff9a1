import assert from "node:assert/strict";
import { test } from "node:test";

import { arrowPath } from "../../../../dashboard/assets/walkthrough/gradient-arrows.js";

// One output pixel of four has an arrow.
const POINTS = [1, 2, 0, 0, 0, 0, 0, 0];

test("an arrow points against the gradient of its sampling point", () => {
  const path = arrowPath(POINTS, [-3, 0, 0, 0, 0, 0, 0, 0], [2, 2]);
  assert.ok(path.startsWith("M1.00,2.00L5.50,2.00M5.50,2.00L"), path);
});

test("there is no arrow where there is no gradient", () => {
  assert.equal(arrowPath(POINTS, Array(8).fill(0), [2, 2]), "");
  assert.equal(arrowPath([], [], [0, 0]), "");
});

test("arrows far shorter than the longest are left out", () => {
  const gradients = [0.001, 0, 0, 0, 0, 0, 5, 0];
  assert.equal(arrowPath(POINTS, gradients, [2, 2]), "");
});
