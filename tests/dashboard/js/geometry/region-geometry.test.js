import assert from "node:assert/strict";
import { test } from "node:test";

import * as geometry from "../../../../dashboard/assets/geometry/region-geometry.js";
import { assertClose, latticeOf } from "../lattices.js";

const SIZE = [40, 60]; // height and width

test("the whole image's region is the identity", () => {
  const lattice = latticeOf([1, 0, 0, 0, 1, 0], SIZE);
  assertClose(geometry.fitAffine(lattice, SIZE), [1, 0, 0, 0, 1, 0]);
  assert.equal(geometry.determinant([1, 0, 0, 0, 1, 0]), 1);
  assertClose(geometry.regionCentre(lattice), [30, 20]);
  assertClose(geometry.pointAt(lattice, 0, 0), [0, 0]);
  assertClose(geometry.pointAt(lattice, 1, 1), [60, 40]);
  assertClose(geometry.pointAt(lattice, 0.3, 0.8), [18, 32]);
  assert.equal(geometry.outsideShare(lattice, [8, 8], SIZE), 0);
});

test("fitAffine recovers an affine map from its lattice", () => {
  const map = [0.5, -0.2, 0.3, 0.1, 0.7, -0.4];
  assertClose(geometry.fitAffine(latticeOf(map, SIZE), SIZE), map);
  assertClose([geometry.determinant(map)], [0.5 * 0.7 + 0.2 * 0.1]);
});

test("a rotation on an image that is not square has no shear", () => {
  const angle = 0.5;
  const [height, width] = SIZE;
  const map = [
    Math.cos(angle),
    (-Math.sin(angle) * height) / width,
    0.25,
    (Math.sin(angle) * width) / height,
    Math.cos(angle),
    -0.5,
  ];
  const { rotation, scaleX, scaleY, shear, shiftX, shiftY, bend } = geometry.decomposeRegion(
    latticeOf(map, SIZE),
    SIZE,
  );
  assertClose(
    [rotation, scaleX, scaleY, shear, shiftX, shiftY, bend],
    [angle, 1, 1, 0, 0.25, -0.5, 0],
  );
});

test("rotation, scale, shear and translation are recovered, mirrored or not", () => {
  const [height, width] = SIZE;
  const cases = [
    [0.5, 0.6, 0.7, 0, 0.1, -0.2],
    [-2.5, 0.3, 1.4, 0.4, -1.5, 2],
    [1.0, 0.5, -0.5, -0.3, 0, 0],
  ];
  for (const [rotation, scaleX, scaleY, shear, shiftX, shiftY] of cases) {
    const [cos, sin] = [Math.cos(rotation), Math.sin(rotation)];
    // In pixels: sheared, then scaled, then rotated.
    const across = [scaleX * cos, scaleX * sin];
    const down = [scaleX * shear * cos - scaleY * sin, scaleX * shear * sin + scaleY * cos];
    const map = [
      across[0],
      (down[0] * height) / width,
      shiftX,
      (across[1] * width) / height,
      down[1],
      shiftY,
    ];
    const pose = geometry.decomposeRegion(latticeOf(map, SIZE), SIZE);
    assertClose(
      [pose.rotation, pose.scaleX, pose.scaleY, pose.shear, pose.shiftX, pose.shiftY],
      [rotation, scaleX, scaleY, shear, shiftX, shiftY],
    );
  }
});

test("a mirrored region has a negative height, one without width no rotation", () => {
  assert.ok(geometry.decomposeRegion(latticeOf([1, 0, 0, 0, -0.5, 0], SIZE), SIZE).scaleY < 0);
  const line = geometry.decomposeRegion(latticeOf([0, 0, 0, 0, 1, 0], SIZE), SIZE);
  assertClose([line.scaleX, line.rotation, line.scaleY], [0, 0, 1]);
});

test("outsideShare counts pixels of the output", () => {
  // Half of the columns lie to the right of the image.
  const lattice = latticeOf([1, 0, 1, 0, 1, 0], SIZE);
  assert.equal(geometry.outsideShare(lattice, [4, 8], SIZE), 0.5);
  assert.equal(geometry.outsideShare(lattice.map(() => Number.NaN), [4, 8], SIZE), 1);
});

test("bend is the largest distance from the closest parallelogram", () => {
  const lattice = latticeOf([1, 0, 0, 0, 1, 0], SIZE);
  lattice[2 * 24] += 6; // the middle point, to the right
  const { bend } = geometry.decomposeRegion(lattice, SIZE);
  assertClose([bend], [(6 - 6 / 49) / 60]);
});

test("meanAndDeviation", () => {
  assert.deepEqual(geometry.meanAndDeviation([1, 3, 5, 7]), { mean: 4, deviation: Math.sqrt(5) });
});

test("composeAffine is the inverse of decomposeAffine", () => {
  for (const map of [[0.5, -0.2, 0.1, 0.3, 0.6, -0.4], [-0.4, 0.7, 0, 0.6, 0.5, 1.2]]) {
    assertClose(geometry.composeAffine(geometry.decomposeAffine(map, SIZE), SIZE), map);
  }
});

test("the sides of a region in perspective are straight, those of a bent one are not", () => {
  const size = [40, 60];
  const affine = latticeOf([0.5, 0.1, 0, -0.2, 0.4, 0.3], size);
  assert.ok(geometry.hasStraightSides(affine));
  const tilted = affine.map((_, at) => {
    const [column, row] = [(at >> 1) % 7, Math.floor((at >> 1) / 7)];
    return (at % 2 ? row : column) / (1 + 0.05 * column);
  });
  assert.ok(geometry.hasStraightSides(tilted));
  const bent = affine.map((value, at) => value + (at === 2 * 3 + 1 ? 1 : 0));
  assert.equal(geometry.hasStraightSides(bent), false);
});
