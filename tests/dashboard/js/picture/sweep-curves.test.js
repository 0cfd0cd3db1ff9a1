import assert from "node:assert/strict";
import { test } from "node:test";

import {
  POINTS,
  sweepCurves,
  sweepTable,
  sweepValues,
} from "../../../../dashboard/assets/picture/sweep-curves.js";

/**
 * @param {number} brightness of the left half of a 2x2 image, whose output is always the same
 * @param {number[]} probabilities
 * @returns {any}
 */
const frame = (brightness, probabilities) => ({
  info: { transformers: [{ name: "st", family: "attention", at: "input" }] },
  tensors: {
    input: { shape: [1, 2, 2, 1], data: Uint8Array.of(brightness, 0, brightness, 0) },
    "output.st": { shape: [1, 2, 2, 1], data: Uint8Array.of(0, 9, 0, 9) },
    "theta.st": { shape: [1, 3], data: Float32Array.of(brightness, 0.5, 0) },
    probabilities: { shape: [1, 2], data: Float32Array.from(probabilities) },
  },
});

const points = [10, 20, 30, 40, 50, 60].map((brightness, index) => ({
  value: index,
  frame: frame(brightness, [0.5, 0.5]),
  without: frame(brightness, [0.25, 0.75]),
}));

test("sweepValues runs from end to end, in the slider's steps", () => {
  assert.deepEqual(sweepValues({ minimum: 0, maximum: 3, step: 1 }), [0, 1, 2, 3]);
  const values = sweepValues({ minimum: -180, maximum: 180, step: 1 });
  assert.equal(values.length, POINTS);
  assert.deepEqual([values[0], values[20], values.at(-1)], [-180, 0, 180]);
});

test("sweepCurves are both networks' probability and the stillness", () => {
  const [withIt, without, stillness] = sweepCurves(points, 1);
  assert.deepEqual(withIt.values, Array(6).fill(0.5));
  assert.deepEqual(without.values, Array(6).fill(0.75));
  assert.deepEqual(stillness.values, Array(6).fill(0));
});

test("sweepTable has a line for each value, with theta", () => {
  const lines = sweepTable("rotation", points, sweepCurves(points, 1)).trim().split("\n");
  assert.equal(
    lines[0],
    "rotation,probability_with_the_transformer,probability_without_it,stillness," +
      "theta.st.0,theta.st.1,theta.st.2",
  );
  assert.equal(lines[2], "1,0.5,0.75,0,20,0.5,0");
  assert.equal(lines.length, 7);
});
