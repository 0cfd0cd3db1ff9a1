import assert from "node:assert/strict";
import { test } from "node:test";

import {
  combinationTitle,
  fieldTitle,
  nextOrder,
  orderText,
  progressText,
  publishedText,
  rangeText,
  readOrder,
  sortCombinations,
  valueText,
  variedText,
} from "../../../../dashboard/assets/sweeps/sweep-text.js";
import { percent } from "../../../../dashboard/assets/ui/number-text.js";

/** @param {number} mean */
const spread = (mean) => ({ mean, min: mean, max: mean, runs: 1 });
/**
 * @param {Record<string, unknown>} values
 * @param {number | null} accuracy
 */
const combination = (values, accuracy, rest = {}) => ({
  values,
  done: 1,
  collapsed: 0,
  observed: 1,
  accuracy: accuracy === null ? null : spread(accuracy),
  loss: null,
  stillness: null,
  /** @type {import("../../../../dashboard/assets/protocol/types.js").PublishedFigure | null} */
  published: null,
  runs: [],
  ...rest,
});

/**
 * @param {string} figure
 * @param {"error" | "accuracy"} measure
 */
const published = (figure, measure) => ({ network: "CNN", data: "R", figure, measure });

test("published errors are accuracies with as many decimals", () => {
  assert.equal(publishedText(published("0.5", "error")), "99.5%");
  assert.equal(publishedText(published("47.7", "error")), "52.3%");
  assert.equal(publishedText(published("99.61 to 99.67", "accuracy")), "99.61 to 99.67%");
  assert.equal(publishedText(null), "–");
  const rows = [
    combination({ row: "a" }, 1, { published: published("99.61 to 99.67", "accuracy") }),
    combination({ row: "b" }, 1),
    combination({ row: "c" }, 1, { published: published("0.3", "error") }),
  ];
  const order = readOrder("-published", ["published"]);
  assert.deepEqual(sortCombinations(rows, order).map(({ values }) => values.row), ["c", "a", "b"]);
});

test("fields and values are named as on the page", () => {
  assert.equal(fieldTitle("family"), "Transformer");
  assert.equal(fieldTitle("sampler.padding"), "Padding");
  assert.equal(fieldTitle("localisation_learning_rate"), "Localisation learning rate");
  assert.equal(valueText({ name: "E", strength: 0.5 }), "E 0.5");
  assert.equal(valueText(null), "default");
  assert.equal(valueText(true), "yes");
  const values = { family: "affine", learning_rate: 0.01 };
  assert.equal(combinationTitle({ values }), "affine, learning rate 0.01");
  assert.equal(
    variedText({ fields: ["family", "distortion"], seeds: [0, 1, 2] }),
    "Transformer, distortion, 3 seeds",
  );
});

test("progress has the runs of each status", () => {
  const others = { failed: 1, later_version: 1 };
  assert.equal(
    progressText({ runs: 11, done: 3, training: 2, waiting: 4, others }),
    "3 of 11 runs finished, 2 training, 4 waiting, 1 failed, 1 later version",
  );
  assert.equal(
    progressText({ runs: 1, done: 0, training: 0, waiting: 0, others: {} }),
    "0 of 1 run finished",
  );
});

test("a range is of several runs", () => {
  assert.equal(rangeText({ mean: 0.5, min: 0.25, max: 0.75, runs: 2 }, percent), "25.0% to 75.0%");
  assert.equal(rangeText(spread(0.5), percent), "");
  assert.equal(rangeText(null, percent), "");
});

test("an order is kept in the address", () => {
  for (const text of ["family", "-accuracy"]) {
    assert.equal(orderText(readOrder(text, ["family", "accuracy"])), text);
  }
  assert.equal(readOrder("colour", ["family"]), null);
  assert.equal(readOrder(null, ["family"]), null);
});

test("a column is sorted with the better first, then the other way, then not", () => {
  const first = nextOrder(null, "accuracy");
  assert.deepEqual(first, { column: "accuracy", isDescending: true });
  const second = nextOrder(first, "accuracy");
  assert.deepEqual(second, { column: "accuracy", isDescending: false });
  assert.equal(nextOrder(second, "accuracy"), null);
  assert.deepEqual(nextOrder(first, "loss"), { column: "loss", isDescending: false });
});

test("combinations without a figure are last in both directions", () => {
  const rows = [
    combination({ a: 10 }, 0.5),
    combination({ a: 9 }, null),
    combination({ a: 2 }, 0.9),
  ];
  /** @type {(column: string, isDescending: boolean) => unknown[]} */
  const sorted = (column, isDescending) =>
    sortCombinations(rows, { column, isDescending }).map(({ values }) => values.a);
  assert.deepEqual(sorted("accuracy", true), [2, 10, 9]);
  assert.deepEqual(sorted("accuracy", false), [10, 2, 9]);
  assert.deepEqual(sorted("a", false), [2, 9, 10]);
  assert.deepEqual(sortCombinations(rows, null), rows);
});

test("collapses are sorted by their share", () => {
  const rows = [
    combination({ a: "x" }, 0, { collapsed: 2, observed: 4 }),
    combination({ a: "y" }, 0, { collapsed: 1, observed: 1 }),
    combination({ a: "z" }, 0, { observed: 0 }),
  ];
  const sorted = sortCombinations(rows, { column: "collapsed", isDescending: true });
  assert.deepEqual(sorted.map(({ values }) => values.a), ["y", "x", "z"]);
});
