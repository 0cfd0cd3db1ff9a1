import assert from "node:assert/strict";
import { test } from "node:test";

import {
  affineRows,
  controlPoints,
  frameSentence,
  regionFigures,
  regionSentence,
  thetaRows,
} from "../../../../dashboard/assets/stage/theta-text.js";
import { latticeOf } from "../lattices.js";

/** @import { FamilyEntry, FrameInfo, Transformer } from "../../../../dashboard/assets/protocol/types.js" */

const SIZE = [48, 48];

/**
 * @param {Partial<FamilyEntry>} entry
 * @returns {FamilyEntry}
 */
const family = (entry) => ({
  name: "",
  title: "",
  description: "",
  parameters: 0,
  degrees_of_freedom: [],
  theta_labels: [],
  theta_matrix: null,
  control_points: null,
  ...entry,
});

test("theta is written as a matrix, whose last entry is 1 where theta is one number short", () => {
  const affine = family({ theta_matrix: [2, 3] });
  assert.deepEqual(thetaRows(affine, [1, 0, -0.5, 0, 0.25, 0]).rows, [
    ["1.000", "0.000", "−0.500"],
    ["0.000", "0.250", "0.000"],
  ]);
  const projective = family({ theta_matrix: [3, 3] });
  assert.deepEqual(thetaRows(projective, [1, 0, 0, 0, 1, 0, 0.1, 0]).rows.at(-1), [
    "0.100",
    "0.000",
    "1.000",
  ]);
});

test("theta is written as labelled numbers, without labels until the family is known", () => {
  const attention = family({ theta_labels: ["s", "tx", "ty"] });
  assert.deepEqual(thetaRows(attention, [0.5, 0.1, 0.2]).rows, [
    ["s", "0.500"],
    ["tx", "0.100"],
    ["ty", "0.200"],
  ]);
  assert.deepEqual(thetaRows(null, [0.5, 0.1]).rows, [["", "0.500"], ["", "0.100"]]);
});

test("theta is written as a grid of control points", () => {
  const spline = family({ control_points: 3 });
  const { rows } = thetaRows(spline, Array.from({ length: 18 }, (_, index) => index / 10));
  assert.deepEqual([rows.length, rows[0]], [3, ["0.00\n0.10", "0.20\n0.30", "0.40\n0.50"]]);
});

test("a region as a sentence, figures and a matrix", () => {
  const lattice = latticeOf([0.5, 0, 0.2, 0, 0.5, -0.1], SIZE);
  assert.equal(
    regionSentence(lattice, SIZE),
    "The region covers 50% of the width and 50% of the height, upright, not sheared, centred 10% " +
      "of the width to the right of and 5% of the height above the middle.",
  );
  assert.deepEqual(affineRows(lattice, SIZE)[0], ["0.500", "0.000", "0.200"]);
  assert.deepEqual(regionFigures(lattice, [28, 28], SIZE), { determinant: "0.250", outside: "0%" });
  const mirrored = latticeOf([0, 0.5, 0, 0.9, 0.1, 0], SIZE);
  assert.match(
    regionSentence(mirrored, SIZE),
    /, mirrored, rotated 90° clockwise, sheared by \d+°, centred in the middle\.$/,
  );
  assert.match(regionSentence(lattice.map(() => Number.NaN), SIZE), /is undefined/);
});

test("control points are read from theta, of a deeper transformer from its lattice", () => {
  const lattice = latticeOf([1, 0, 0, 0, 1, 0], SIZE);
  const theta = Array.from({ length: 18 }, (_, index) => (index === 0 ? -0.5 : 0));
  /** @param {string} at @returns {Transformer} */
  const transformer = (at) => ({ name: "st", family: "spline-3", at });
  const spline = family({ control_points: 3 });
  assert.deepEqual(controlPoints(spline, transformer("input"), theta, lattice, SIZE)[0], [12, 24]);
  assert.deepEqual(
    controlPoints(spline, transformer("12x12 map"), theta, lattice, SIZE)[8],
    [48, 48],
  );
  const affine = family({ theta_matrix: [2, 3] });
  assert.deepEqual(controlPoints(affine, transformer("input"), theta, lattice, SIZE), []);
  assert.deepEqual(controlPoints(null, transformer("input"), theta, lattice, SIZE), []);
});

test("frameSentence describes progress, accuracy and the mean region", () => {
  /** @type {any} */
  const info = {
    step: 150,
    epoch: 1,
    progress: 4,
    accuracy: 0.83,
    labels: [1, null],
    predicted: [1, 0],
    transformers: [{ name: "st", family: "affine", at: "input" }],
    collapsed: { st: ["outside", null] },
  };
  /** @param {number} share */
  const rotated = (share) =>
    latticeOf([0.6 * share, -0.8 * share, 0, 0.8 * share, 0.6 * share, 0], SIZE);
  const lattices = [rotated(0.4), rotated(0.6)];
  const tensors = {
    probabilities: { shape: [2, 2], data: new Float32Array(4) },
    input: { shape: [2, 48, 48, 1], data: new Uint8Array(0) },
    "grid.st": { shape: [2, 7, 7, 2], data: Float32Array.from(lattices.flat()) },
  };
  assert.equal(
    frameSentence({ info, tensors }),
    "Step 150, epoch 1, 4 of 10, accuracy 83%: 1 of 1 probes right. On average the regions cover " +
      "50% of the width and 50% of the height, rotated 53° clockwise, 1 collapsed.",
  );
  const two = {
    ...info,
    transformers: [...info.transformers, { name: "st2", family: "affine", at: "input" }],
    collapsed: { st: [null, null], st2: ["outside", null] },
  };
  assert.match(
    frameSentence({ info: two, tensors }),
    /On average the regions of transformer 1 cover 50% .*, 1 collapsed\.$/,
  );
  // Only the prediction of an added picture counts.
  const joined = { ...info, joined: [1], collapsed: { st: [null, "outside"] } };
  assert.match(
    frameSentence({ info: joined, tensors }),
    /cover 40% of the width .*, none collapsed\.$/,
  );
  const plain = { ...info, transformers: [], accuracy: null };
  assert.equal(
    frameSentence({ info: plain, tensors }),
    "Step 150, epoch 1, 4 of 10: 1 of 1 probes right.",
  );
  const watched = { ...plain, epoch: null, progress: null, predicted: [null, null] };
  assert.equal(frameSentence({ info: watched, tensors }), "Step 150.");
});
