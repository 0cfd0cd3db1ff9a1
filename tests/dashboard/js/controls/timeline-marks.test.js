import assert from "node:assert/strict";
import { test } from "node:test";

import { collapseMarks, epochMarks } from "../../../../dashboard/assets/controls/timeline-marks.js";

test("epochMarks marks the ends of epochs within a run", () => {
  assert.deepEqual(epochMarks([0, 400], 100), [
    { fraction: 0.25, epoch: 1 },
    { fraction: 0.5, epoch: 2 },
    { fraction: 0.75, epoch: 3 },
  ]);
  assert.deepEqual(epochMarks([0, 0], 100), []);
  assert.deepEqual(epochMarks([0, 400], null), []);
});

test("epochMarks marks many epochs at even distances", () => {
  const marks = epochMarks([0, 100_000], 100);
  assert.ok(marks.length <= 60 && marks.length > 20, String(marks.length));
  const distances = new Set(marks.slice(1).map(({ epoch }, index) => epoch - marks[index].epoch));
  assert.equal(distances.size, 1);
});

test("collapseMarks returns intervals in which most regions had collapsed", () => {
  const points = { x: [0, 10, 20, 30, 40, 50], y: [0, 0.6, 1, 0.4, 0, 0.5] };
  assert.deepEqual(collapseMarks([0, 100], points), [
    { from: 0.1, to: 0.3 },
    { from: 0.5, to: 0.5 },
  ]);
  assert.deepEqual(collapseMarks([0, 100], { x: [], y: [] }), []);
});
