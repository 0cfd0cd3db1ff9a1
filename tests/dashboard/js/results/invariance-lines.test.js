import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bandPath,
  chartText,
  halfLostText,
  linePath,
  lineStyles,
  nearestStrength,
  pictureRows,
  WIDTH,
  xOf,
  yOf,
} from "../../../../dashboard/assets/results/invariance-lines.js";

const point = (
  /** @type {number} */ strength,
  /** @type {number} */ accuracy,
  standard_error = 0.01,
) => ({ strength, accuracy, standard_error });

const curve = (
  /** @type {string} */ distortion,
  /** @type {number | null} */ half_lost = null,
) => ({
  distortion,
  points: [point(0, 1), point(1, 0.5)],
  half_lost,
  predicted: [["3"], ["8"]],
});

const network = (
  /** @type {string} */ architecture,
  /** @type {string} */ distortion,
  /** @type {number} */ transformers,
) => /** @type {any} */ ({
  title: architecture,
  transformers,
  result: {
    architecture,
    training: { distortion },
    curves: [curve("R", 0.8), curve("scale")],
    pictures: { outputs: transformers > 0 },
  },
});

const NETWORKS = [
  network("cnn", "RTS", 0),
  network("st", "RTS", 1),
  network("cnn", "centred", 0),
];

test("a line goes from strength 0 to 1, and falls with the accuracy", () => {
  const path = linePath(curve("R"));
  assert.equal(
    path,
    `M${xOf(0).toFixed(1)} ${yOf(1).toFixed(1)}L${xOf(1).toFixed(1)} ${yOf(0.5).toFixed(1)}`,
  );
  assert.ok(yOf(0.5) > yOf(1));
});

test("a band is two standard errors wide to both sides, and ends at 100 %", () => {
  const numbers = bandPath(curve("R")).match(/[0-9.]+/g)?.map(Number) ?? [];
  assert.equal(numbers.length, 8);
  const rounded = (/** @type {number} */ value) => Number(value.toFixed(1));
  assert.equal(numbers[1], rounded(yOf(1)));
  assert.equal(numbers[3], rounded(yOf(0.52)));
  assert.equal(numbers[5], rounded(yOf(0.48)));
});

test("nearestStrength is that of the pointer, also outside the axes", () => {
  const strengths = [0, 0.2, 0.4, 0.6, 0.8, 1];
  strengths.forEach((strength, index) =>
    assert.equal(nearestStrength(xOf(strength + 0.05) / WIDTH, strengths), index)
  );
  assert.equal(nearestStrength(0, strengths), 0);
  assert.equal(nearestStrength(1.2, strengths), 5);
});

test("a line's colour is its architecture's, its dash its training's", () => {
  assert.deepEqual(lineStyles(NETWORKS), [
    { colour: 2, dash: 1 },
    { colour: 1, dash: 1 },
    { colour: 2, dash: 2 },
  ]);
});

test("pictures have a row of inputs for each curve, and one of outputs with a transformer", () => {
  assert.deepEqual(pictureRows(NETWORKS[0], "scale"), { input: 1, output: null });
  assert.deepEqual(pictureRows(NETWORKS[1], "scale"), { input: 2, output: 3 });
});

test("a chart's text has both ends, and where half is lost", () => {
  const table = /** @type {any} */ ({ networks: NETWORKS.slice(0, 1) });
  assert.equal(
    chartText(table, "R"),
    "cnn: 100.0% at strength 0, 50.0% at 1, half lost at 0.80.",
  );
  assert.equal(chartText(table, "scale"), "cnn: 100.0% at strength 0, 50.0% at 1.");
  assert.equal(chartText(table, "T"), "");
  assert.equal(halfLostText(curve("R")), "");
});
