// Lattices to test with, and a comparison of numbers.

import assert from "node:assert/strict";

/**
 * The lattice of 7 by 7 points of an affine map, in pixels.
 * @param {number[]} map a, b, c, d, e, f of (x, y) -> (a x + b y + c, d x + e y + f) in [-1, 1]
 * @param {number[]} size height and width of the input
 */
export function latticeOf([a, b, c, d, e, f], [height, width]) {
  const lattice = [];
  for (let row = 0; row < 7; row++) {
    for (let column = 0; column < 7; column++) {
      const [x, y] = [column / 3 - 1, row / 3 - 1];
      lattice.push(((a * x + b * y + c + 1) * width) / 2, ((d * x + e * y + f + 1) * height) / 2);
    }
  }
  return lattice;
}

/** Asserts that numbers are the same to within rounding. */
export function near(given, expected, tolerance = 1e-9) {
  assert.equal(given.length, expected.length);
  given.forEach((value, index) =>
    assert.ok(Math.abs(value - expected[index]) <= tolerance, `${given} is not ${expected}`)
  );
}
