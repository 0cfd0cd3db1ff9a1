import assert from "node:assert/strict";
import { test } from "node:test";

import { inverseWarp } from "../../../../dashboard/assets/geometry/inverse-warp.js";
import { latticeOf, near } from "../lattices.js";

const IDENTITY = [1, 0, 0, 0, 1, 0];
const ramp = (height, width) =>
  Uint8Array.from({ length: height * width }, (_, index) => 40 + 3 * index);
const gray = (data, height, width) => ({ data, shape: [height, width, 1] });
const pasted = (output, [height, width], map, size) => ({
  output,
  shape: [height, width, 1],
  lattice: latticeOf(map, size),
});

test("the identity's output lands where it came from, pixel for pixel", () => {
  const image = ramp(6, 8);
  const undone = inverseWarp(gray(new Uint8Array(48), 6, 8), [
    pasted(image, [6, 8], IDENTITY, [6, 8]),
  ]);
  assert.deepEqual(undone.shape, [6, 8, 1]);
  near([...undone.data], [...image], 1);
});

test("what no output came from is dimmed", () => {
  // The right half is looked at.
  const map = [0.5, 0, 0.5, 0, 1, 0];
  const input = gray(new Uint8Array(64).fill(200), 8, 8);
  const { data } = inverseWarp(input, [pasted(new Uint8Array(16).fill(90), [4, 4], map, [8, 8])]);
  for (let pixel = 0; pixel < 64; pixel++) assert.equal(data[pixel], pixel % 8 < 4 ? 60 : 90);
});

test("a turned output comes out upright", () => {
  // Output to the right is input down: a turn by 90 degrees clockwise.
  const map = [0, -1, 0, 1, 0, 0];
  const output = Uint8Array.from({ length: 16 }, (_, index) => 60 * (index % 4));
  const { data } = inverseWarp(gray(new Uint8Array(16), 4, 4), [
    pasted(output, [4, 4], map, [4, 4]),
  ]);
  for (let pixel = 0; pixel < 16; pixel++) near([data[pixel]], [60 * Math.floor(pixel / 4)], 1);
});

test("a mirrored region is pasted as well, one outside or of no area or no numbers nowhere", () => {
  const full = new Uint8Array(16).fill(250);
  const into = () => gray(new Uint8Array(16), 4, 4);
  const mirrored = inverseWarp(into(), [pasted(full, [4, 4], [-1, 0, 0, 0, 1, 0], [4, 4])]);
  assert.ok(mirrored.data.every((value) => value === 250));
  for (
    const map of [
      [1, 0, 9, 0, 1, 0],
      [0, 0, 0, 0, 0, 0],
      [Number.NaN, 0, 0, 0, 1, 0],
    ]
  ) {
    const { data } = inverseWarp(into(), [pasted(full, [4, 4], map, [4, 4])]);
    assert.ok(data.every((value) => value === 0));
  }
});

test("gray over colour and colour over gray are in colour", () => {
  const colour = { data: new Uint8Array(48).fill(100), shape: [4, 4, 3] };
  const over = inverseWarp(colour, [pasted(new Uint8Array(16).fill(7), [4, 4], IDENTITY, [4, 4])]);
  assert.deepEqual([over.shape, over.data[0], over.data[47]], [[4, 4, 3], 7, 7]);
  const lattice = latticeOf(IDENTITY, [4, 4]);
  const red = Uint8Array.from({ length: 48 }, (_, index) => (index % 3 ? 0 : 255));
  const under = inverseWarp(gray(new Uint8Array(16), 4, 4), [{
    output: red,
    shape: [4, 4, 3],
    lattice,
  }]);
  assert.deepEqual([...under.data.slice(0, 3)], [255, 0, 0]);
});
