import assert from "node:assert/strict";
import { test } from "node:test";

import {
  keyOffset,
  latticeCorners,
  moveCorner,
  moveRegion,
  thetaOverride,
} from "../../../../dashboard/assets/geometry/region-drag.js";
import { assertClose, latticeOf } from "../lattices.js";

/** @import { DegreeOfFreedom } from "../../../../dashboard/assets/protocol/types.js" */
/** @import { Point } from "../../../../dashboard/assets/geometry/region-geometry.js" */

/** @type {Point[]} */
const SQUARE = [
  [10, 10],
  [30, 10],
  [30, 30],
  [10, 30],
];
/** @type {DegreeOfFreedom[]} */
const PARALLELOGRAM = ["translation", "rotation", "scale", "shear"];

test("latticeCorners returns the corners clockwise from the top left", () => {
  const lattice = latticeOf([0.5, 0.1, 0.2, -0.1, 0.6, -0.3], [20, 40]);
  assertClose(latticeCorners(lattice).flat(), [12, 2.0, 32, 0.0, 36, 12.0, 16, 14.0], 1e-9);
});

test("arrow keys move by one pixel, with shift by five, other keys by none", () => {
  assert.deepEqual(keyOffset({ key: "ArrowLeft", shiftKey: false }), [-1, 0]);
  assert.deepEqual(keyOffset({ key: "ArrowDown", shiftKey: true }), [0, 5]);
  assert.equal(keyOffset({ key: "Enter", shiftKey: false }), null);
});

test("moveRegion keeps the region's shape", () => {
  assertClose(moveRegion(SQUARE, [3, -4]).flat(), [13, 6, 33, 6, 33, 26, 13, 26]);
});

test("with shear the region stays a parallelogram, and its opposite corner stays", () => {
  assertClose(
    moveCorner(PARALLELOGRAM, SQUARE, 0, [-4, 2]).flat(),
    [6, 12, 28, 11, 30, 30, 8, 31],
  );
});

test("with independent corners every other corner stays", () => {
  const moved = moveCorner([...PARALLELOGRAM, "corners"], SQUARE, 2, [5, 7]);
  assertClose(moved.flat(), [10, 10, 30, 10, 35, 37, 10, 30]);
});

test("with translation alone the whole region moves", () => {
  const moved = moveCorner(["translation"], SQUARE, 1, [2, 3]);
  assertClose(moved.flat(), moveRegion(SQUARE, [2, 3]).flat());
});

test("with rotation and scale the region rotates and scales about its opposite corner", () => {
  const moved = moveCorner(["translation", "rotation", "scale"], SQUARE, 2, [-20, 0]);
  assertClose(moved.flat(), [10, 10, 20, 20, 10, 30, 0, 20]);
});

test("an upright region grows by the offset's part along its diagonal", () => {
  /** @type {DegreeOfFreedom[]} */
  const upright = ["translation", "scale"];
  assertClose(
    moveCorner(upright, SQUARE, 2, [10, 10]).flat(),
    [10, 10, 40, 10, 40, 40, 10, 40],
  );
  assertClose(moveCorner(upright, SQUARE, 2, [10, -10]).flat(), SQUARE.flat());
});

test("without translation the region's centre stays", () => {
  assertClose(moveCorner(["scale"], SQUARE, 2, [10, 10]).flat(), [0, 0, 40, 0, 40, 40, 0, 40]);
  const rotated = moveCorner(["rotation"], SQUARE, 0, [20, 0]);
  assertClose(rotated.flat(), [30, 10, 30, 30, 10, 30, 10, 10]);
});

test("a region that has shrunk to a point can be enlarged again", () => {
  /** @type {Point[]} */
  const point = [[5, 5], [5, 5], [5, 5], [5, 5]];
  /** @type {DegreeOfFreedom[][]} */
  const families = [
    ["translation", "rotation", "scale"],
    ["translation", "scale"],
    ["translation", "rotation"],
  ];
  for (const degreesOfFreedom of families) {
    assertClose(moveCorner(degreesOfFreedom, point, 1, [4, 0]).flat(), [5, 5, 9, 5, 5, 5, 5, 5]);
  }
});

test("thetaOverride sends dragged corners, and the theta that was set before", () => {
  const theta = [1, 0, 0, 0, 1, 0];
  const regions = [
    { name: "st1", given: true, theta, requested: null },
    { name: "st2", given: true, theta, requested: SQUARE },
    { name: "st3", given: false, theta, requested: SQUARE },
    { name: "st4", given: false, theta, requested: null },
  ];
  assert.deepEqual(thetaOverride(regions), {
    theta: { st1: theta },
    corners: { st2: SQUARE, st3: SQUARE },
  });
});
