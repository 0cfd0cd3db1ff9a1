import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cornersOf,
  moveCorner,
  moveRegion,
  offsetOfKey,
  thetaOverride,
} from "../../../../dashboard/assets/geometry/region-drag.js";
import { latticeOf, near } from "../lattices.js";

const SQUARE = [
  [10, 10],
  [30, 10],
  [30, 30],
  [10, 30],
];

test("corners are those of the lattice, clockwise from the top left", () => {
  const lattice = latticeOf([0.5, 0.1, 0.2, -0.1, 0.6, -0.3], [20, 40]);
  near(cornersOf(lattice).flat(), [12, 2.0, 32, 0.0, 36, 12.0, 16, 14.0], 1e-9);
});

test("arrows move by a pixel, with Shift by five, and other keys by nothing", () => {
  assert.deepEqual(offsetOfKey({ key: "ArrowLeft", shiftKey: false }), [-1, 0]);
  assert.deepEqual(offsetOfKey({ key: "ArrowDown", shiftKey: true }), [0, 5]);
  assert.equal(offsetOfKey({ key: "Enter", shiftKey: false }), null);
});

test("the whole region keeps its shape", () => {
  near(moveRegion(SQUARE, [3, -4]).flat(), [13, 6, 33, 6, 33, 26, 13, 26]);
});

test("of an affine region the opposite corner stays, and it stays a parallelogram", () => {
  near(moveCorner("affine", SQUARE, 0, [-4, 2]).flat(), [6, 12, 28, 11, 30, 30, 8, 31]);
});

test("of a bent one every other corner stays", () => {
  for (const family of ["projective", "spline-4"]) {
    near(moveCorner(family, SQUARE, 2, [5, 7]).flat(), [10, 10, 30, 10, 35, 37, 10, 30]);
  }
});

test("what can only be shifted goes along", () => {
  near(moveCorner("translation", SQUARE, 1, [2, 3]).flat(), moveRegion(SQUARE, [2, 3]).flat());
});

test("what can be turned and scaled turns and scales about the opposite corner", () => {
  const moved = moveCorner("rotation-scale-translation", SQUARE, 2, [-20, 0]);
  near(moved.flat(), [10, 10, 20, 20, 10, 30, 0, 20]);
});

test("upright ones grow by as much as is dragged along their diagonal", () => {
  for (const family of ["attention", "scale-translation"]) {
    near(moveCorner(family, SQUARE, 2, [10, 10]).flat(), [10, 10, 40, 10, 40, 40, 10, 40]);
    near(moveCorner(family, SQUARE, 2, [10, -10]).flat(), SQUARE.flat());
  }
});

test("what cannot be shifted stays about its middle", () => {
  near(moveCorner("scale", SQUARE, 2, [10, 10]).flat(), [0, 0, 40, 0, 40, 40, 0, 40]);
  const turned = moveCorner("rotation", SQUARE, 0, [20, 0]);
  near(turned.flat(), [30, 10, 30, 30, 10, 30, 10, 10]);
});

test("a region that is a point can be drawn out again", () => {
  const point = [5, 5];
  const dot = [point, point, point, point];
  for (const family of ["rotation-scale-translation", "attention", "rotation-translation"]) {
    near(moveCorner(family, dot, 1, [4, 0]).flat(), [5, 5, 9, 5, 5, 5, 5, 5]);
  }
});

test("of several regions each is told what was last chosen for it", () => {
  const theta = [1, 0, 0, 0, 1, 0];
  const regions = [
    { name: "st1", given: true, theta, wanted: null },
    { name: "st2", given: true, theta, wanted: SQUARE },
    { name: "st3", given: false, theta, wanted: SQUARE },
    { name: "st4", given: false, theta, wanted: null },
  ];
  assert.deepEqual(thetaOverride(regions), {
    theta: { st1: theta },
    corners: { st2: SQUARE, st3: SQUARE },
  });
});
