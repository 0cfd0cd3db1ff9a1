import assert from "node:assert/strict";
import { test } from "node:test";

import { inverseWarp } from "../../../../dashboard/assets/geometry/inverse-warp.js";
import { assertClose, latticeOf } from "../lattices.js";

const IDENTITY = [1, 0, 0, 0, 1, 0];

/** @param {number} height @param {number} width */
const ramp = (height, width) =>
  Uint8Array.from({ length: height * width }, (_, index) => 40 + 3 * index);

/** @param {Uint8Array} data @param {number} height @param {number} width */
const gray = (data, height, width) => ({ data, shape: [height, width, 1] });

/** @param {number} height @param {number} width */
const black = (height, width) => gray(new Uint8Array(height * width), height, width);

/**
 * @param {Uint8Array} data
 * @param {number[]} shape of the output
 * @param {number[]} map
 * @param {number[]} size of the input
 */
const output = (data, [height, width], map, size) => ({
  ...gray(data, height, width),
  lattice: latticeOf(map, size),
});

test("under the identity the output replaces the input pixel for pixel", () => {
  const image = ramp(6, 8);
  const { data, shape } = inverseWarp(black(6, 8), [output(image, [6, 8], IDENTITY, [6, 8])]);
  assert.deepEqual(shape, [6, 8, 1]);
  assertClose([...data], [...image], 1);
});

test("pixels that were not sampled are dimmed", () => {
  const rightHalf = [0.5, 0, 0.5, 0, 1, 0];
  const input = gray(new Uint8Array(64).fill(200), 8, 8);
  const bright = new Uint8Array(16).fill(90);
  const { data } = inverseWarp(input, [output(bright, [4, 4], rightHalf, [8, 8])]);
  for (let pixel = 0; pixel < 64; pixel++) assert.equal(data[pixel], pixel % 8 < 4 ? 60 : 90);
});

test("a rotated output is pasted upright", () => {
  // To the right in the output is down in the input: a rotation by 90 degrees clockwise.
  const map = [0, -1, 0, 1, 0, 0];
  const columns = Uint8Array.from({ length: 16 }, (_, index) => 60 * (index % 4));
  const { data } = inverseWarp(black(4, 4), [output(columns, [4, 4], map, [4, 4])]);
  for (let pixel = 0; pixel < 16; pixel++) {
    assertClose([data[pixel]], [60 * Math.floor(pixel / 4)], 1);
  }
});

test("a mirrored region is pasted; one outside, without area or not finite is not", () => {
  const white = new Uint8Array(16).fill(250);
  const mirrored = inverseWarp(black(4, 4), [output(white, [4, 4], [-1, 0, 0, 0, 1, 0], [4, 4])]);
  assert.ok(mirrored.data.every((value) => value === 250));
  const maps = [
    [1, 0, 9, 0, 1, 0],
    [0, 0, 0, 0, 0, 0],
    [Number.NaN, 0, 0, 0, 1, 0],
  ];
  for (const map of maps) {
    const { data } = inverseWarp(black(4, 4), [output(white, [4, 4], map, [4, 4])]);
    assert.ok(data.every((value) => value === 0));
  }
});

test("gray over colour and colour over gray are in colour", () => {
  const colour = { data: new Uint8Array(48).fill(100), shape: [4, 4, 3] };
  const dark = new Uint8Array(16).fill(7);
  const over = inverseWarp(colour, [output(dark, [4, 4], IDENTITY, [4, 4])]);
  assert.deepEqual([over.shape, over.data[0], over.data[47]], [[4, 4, 3], 7, 7]);
  const red = {
    data: Uint8Array.from({ length: 48 }, (_, index) => (index % 3 ? 0 : 255)),
    shape: [4, 4, 3],
    lattice: latticeOf(IDENTITY, [4, 4]),
  };
  const under = inverseWarp(black(4, 4), [red]);
  assert.deepEqual([...under.data.slice(0, 3)], [255, 0, 0]);
});
