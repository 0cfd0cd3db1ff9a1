import assert from "node:assert/strict";
import { test } from "node:test";

import {
  controlPoints,
  frameSentence,
  matrixRows,
  regionFigures,
  regionSentence,
  thetaRows,
} from "../../../../dashboard/assets/stage/theta-text.js";
import { latticeOf } from "../lattices.js";

const SIZE = [48, 48];

test("theta is written as in the paper, by family", () => {
  assert.deepEqual(thetaRows("affine", [1, 0, -0.5, 0, 0.25, 0]).rows, [
    ["1.000", "0.000", "−0.500"],
    ["0.000", "0.250", "0.000"],
  ]);
  assert.deepEqual(thetaRows("projective", [1, 0, 0, 0, 1, 0, 0.1, 0]).rows.at(-1), [
    "0.100",
    "0.000",
    "1.000",
  ]);
  assert.deepEqual(thetaRows("attention", [0.5, 0.1, 0.2]).rows, [
    ["s", "0.500"],
    ["tx", "0.100"],
    ["ty", "0.200"],
  ]);
  assert.deepEqual(
    thetaRows("rotation-scale-translation", [0.5, 2, 0, 0]).rows.map(([name]) => name),
    ["angle", "scale", "tx", "ty"],
  );
  const spline = thetaRows("spline-3", Array.from({ length: 18 }, (_, index) => index / 10));
  assert.deepEqual([spline.rows.length, spline.rows[0]], [3, [
    "0.00\n0.10",
    "0.20\n0.30",
    "0.40\n0.50",
  ]]);
});

test("a region in words, figures and as a matrix", () => {
  const lattice = latticeOf([0.5, 0, 0.2, 0, 0.5, -0.1], SIZE);
  assert.equal(
    regionSentence(lattice, SIZE),
    "It looks at 50% of the width and 50% of the height, upright, not sheared, centred 10% of the " +
      "width to the right of and 5% of the height above the middle.",
  );
  assert.deepEqual(matrixRows(lattice, SIZE)[0], ["0.500", "0.000", "0.200"]);
  assert.deepEqual(regionFigures(lattice, [28, 28], SIZE), { determinant: "0.250", outside: "0%" });
  assert.match(regionSentence(lattice.map(() => Number.NaN), SIZE), /looks nowhere/);
});

test("control points lie where theta says, of a deeper transformer where its lattice does", () => {
  const lattice = latticeOf([1, 0, 0, 0, 1, 0], SIZE);
  const theta = Array.from({ length: 18 }, (_, index) => (index === 0 ? -0.5 : 0));
  const at = (place) => controlPoints({ family: "spline-3", at: place }, theta, lattice, SIZE);
  assert.deepEqual(at("input")[0], [12, 24]);
  assert.deepEqual(at("12x12 map")[8], [48, 48]);
  assert.deepEqual(controlPoints({ family: "affine", at: "input" }, theta, lattice, SIZE), []);
});

test("a frame in one sentence, with what the regions do", () => {
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
  const turned = (share) =>
    latticeOf([0.6 * share, -0.8 * share, 0, 0.8 * share, 0.6 * share, 0], SIZE);
  const lattices = [turned(0.4), turned(0.6)];
  const tensors = {
    input: { shape: [2, 48, 48, 1], data: new Uint8Array(0) },
    "grid.st": { shape: [2, 7, 7, 2], data: Float32Array.from(lattices.flat()) },
  };
  assert.equal(
    frameSentence({ info, tensors }),
    "Step 150, epoch 1, 4 of 10, accuracy 83%: 1 of 1 probes right. On average the regions take " +
      "50% of the width and 50% of the height, turned 53° clockwise, 1 collapsed.",
  );
  const two = {
    ...info,
    transformers: [...info.transformers, { name: "st2", family: "affine", at: "input" }],
    collapsed: { st: [null, null], st2: ["outside", null] },
  };
  assert.match(
    frameSentence({ info: two, tensors }),
    /On average the regions of transformer 1 take 50% .*, 1 collapsed\.$/,
  );
  // Of a picture that joined nothing is told but whether it is right.
  const joined = { ...info, joined: [1], collapsed: { st: [null, "outside"] } };
  assert.match(
    frameSentence({ info: joined, tensors }),
    /take 40% of the width .*, none collapsed\.$/,
  );
  const plain = { ...info, transformers: [], accuracy: null };
  assert.equal(
    frameSentence({ info: plain, tensors }),
    "Step 150, epoch 1, 4 of 10: 1 of 1 probes right.",
  );
});
