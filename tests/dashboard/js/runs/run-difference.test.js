import assert from "node:assert/strict";
import { test } from "node:test";

import {
  correspondingStep,
  differences,
} from "../../../../dashboard/assets/runs/run-difference.js";
import { latticeOf } from "../lattices.js";

/** @param {number[][]} rows */
const tensorOf = (rows) => ({
  data: Float64Array.from(rows.flat()),
  shape: [rows.length, rows[0].length],
});

test("correspondingStep returns the same step, or the same share of an epoch", () => {
  assert.equal(correspondingStep(150, "step", 100, 50), 150);
  assert.equal(correspondingStep(150, "epoch", 100, 50), 75);
  assert.equal(
    correspondingStep(150, "epoch", null, 50),
    150,
    "the same step without known epochs",
  );
});

test("differences has no number of right probes without class scores", () => {
  /** @type {any} */
  const info = { transformers: [], step: 1, labels: [1, 0], predicted: [null, null] };
  /** @type {any} */
  const tensors = { input: { shape: [2, 4, 4, 1], data: new Uint8Array(0) } };
  const scored = { info: { ...info, predicted: [1, 1] }, tensors };
  const rows = differences({ info, tensors }, scored);
  const right = rows.find(({ name }) => name === "right");
  assert.deepEqual([right?.values, right?.difference], [["–", "1"], "–"]);
});

test("differences returns both values and the difference of the second to the first", () => {
  // Their first transformers' regions: of two probes, and half as wide.
  const size = [40, 40];
  /** @param {number[]} widths @returns {any} */
  const tensors = (...widths) => ({
    input: { shape: [widths.length, ...size, 1], data: new Uint8Array(0) },
    "grid.st": tensorOf(widths.map((width) => latticeOf([width, 0, 0.1, 0, 1, 0], size))),
  });
  /** @type {any} */
  const info = {
    transformers: [{ name: "st" }],
    step: 20,
    accuracy: 0.5,
    loss: 1.25,
    labels: [1, 2],
    predicted: [1, 0],
    stillness: null,
  };
  const other = { ...info, accuracy: 0.625, loss: 0.75, predicted: [1, 2] };
  const rows = differences(
    { info, tensors: tensors(1, 0.9) },
    { info: other, tensors: tensors(0.5, 0.4) },
  );
  assert.deepEqual(
    rows.map(({ title, values, difference }) => [title, ...values, difference]),
    [
      ["Step", "20", "20", "0"],
      ["Accuracy", "50.0%", "62.5%", "+12.5 points"],
      ["Loss", "1.250", "0.750", "−0.500"],
      ["Probes right", "1", "2", "+1"],
      ["Stillness", "–", "–", "–"],
      ["Width", "0.95", "0.45", "−0.50"],
      ["Height", "1.00", "1.00", "0.00"],
      ["Rotation", "0°", "0°", "0°"],
      ["Position x", "0.10", "0.10", "0.00"],
      ["Position y", "0.00", "0.00", "0.00"],
    ],
  );
  // A picture that was added to one of them is not a shared probe.
  const withAdded = { ...info, labels: [1, 2, 3], predicted: [1, 0, 3], joined: [2] };
  const alike = differences(
    { info: withAdded, tensors: tensors(1, 0.9, 0.1) },
    { info, tensors: tensors(1, 0.9) },
  );
  const byTitle = Object.fromEntries(
    alike.map(({ title, values, difference }) => [title, [...values, difference]]),
  );
  assert.deepEqual(byTitle["Probes right"], ["1", "1", "0"]);
  assert.deepEqual(byTitle.Width, ["0.95", "0.95", "0.00"]);
  const two = { ...info, transformers: [{ name: "st" }, { name: "st2" }] };
  const named = differences({ info: two, tensors: tensors(1, 0.9) }, {
    info,
    tensors: tensors(1, 0.9),
  });
  assert.ok(named.some(({ title }) => title === "Width, 1st"));
  /** @type {any} */
  const plain = { info: { ...other, transformers: [] }, tensors: {} };
  const width = differences({ info, tensors: tensors(1, 0.9) }, plain).find(
    ({ title }) => title === "Width",
  );
  assert.deepEqual([...(width?.values ?? []), width?.difference], ["0.95", "–", "–"]);
});
