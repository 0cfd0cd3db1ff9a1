// Lattices to test with, and a comparison of numbers.

import assert from "node:assert/strict";

/**
 * Return the 7x7 lattice of an affine map, in pixels of the input.
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

/**
 * Assert that numbers are equal to within a tolerance.
 * @param {number[]} actual
 * @param {number[]} expected
 * @param {number} tolerance
 */
export function assertClose(actual, expected, tolerance = 1e-9) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, index) =>
    assert.ok(Math.abs(value - expected[index]) <= tolerance, `${actual} is not ${expected}`)
  );
}
