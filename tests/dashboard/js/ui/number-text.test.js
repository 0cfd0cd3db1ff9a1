import assert from "node:assert/strict";
import { test } from "node:test";

import * as textModule from "../../../../dashboard/assets/ui/number-text.js";

// Typed loosely: fixtures have only the fields that a test needs.
/** @type {Object<string, any>} */
const text = textModule;

test("significant writes numbers of any size", () => {
  assert.deepEqual(
    [0, 0.5, -12.345, 1234.5, 99999, 1e5, -1.234e-5].map(text.significant),
    ["0.00", "0.500", "\u221212.3", "1235", "99999", "1.00e+5", "\u22121.23e-5"],
  );
  assert.equal(text.significant(null), "–");
});

test("numbers are formatted", () => {
  assert.equal(text.percent(0.8316), "83.2%");
  assert.equal(text.percent(1, 0), "100%");
  assert.equal(text.percent(null), "–");
  assert.equal(text.decimal(-0.25, 2), "\u22120.25");
  assert.equal(text.decimal(-0.001, 2), "0.00");
  assert.equal(text.decimal(NaN), "–");
  assert.equal(text.integer(1234567), "1\u202f234\u202f567");
  assert.equal(text.fileSize(340_200), "340 kB");
  assert.equal(text.fileSize(1_249_000), "1.2 MB");
});

test("duration is coarser the longer it is", () => {
  assert.deepEqual([400, 12_000, 180_000, 2 * 3_600_000].map(text.duration), [
    "0 s",
    "12 s",
    "3 min",
    "2 h",
  ]);
});
