import assert from "node:assert/strict";
import { test } from "node:test";

import { Series, smooth } from "../../../../dashboard/assets/run/metrics.js";

function series(count) {
  const made = new Series();
  const step = Array.from({ length: count }, (_, index) => index);
  made.append({
    step,
    loss: step.map((each) => 1 / (1 + each)),
    accuracy: step.map((each) => (each % 50 ? null : each / count)),
  });
  return made;
}

test("rows are appended, and those of steps that were run again replaced", () => {
  const made = series(10);
  made.append({ step: [10, 11], loss: [5, 6], accuracy: [null, null] });
  made.append({ step: [4, 12], loss: [7, 8], accuracy: [null, null] });
  assert.equal(made.last, 12);
  assert.equal(made.at("loss", 4), 7);
  assert.deepEqual(made.points("loss").x, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("rows that come late are put in order", () => {
  const made = new Series();
  made.append({ step: [5, 7], loss: [5, 7] });
  made.append({ step: [6], loss: [6] });
  assert.deepEqual(made.points("loss").y, [5, 6, 7]);
});

test("a value that was not measured is that of the step before", () => {
  const made = series(120);
  assert.equal(made.at("accuracy", 99), 50 / 120);
  assert.equal(made.at("accuracy", 100), 100 / 120);
  assert.equal(new Series().at("loss", 3), null);
});

test("many points are thinned without losing a peak, and a window shows more of itself", () => {
  const made = series(7000);
  made.append({ step: [5005], loss: [99], accuracy: [null] });
  const all = made.points("loss", { limit: 400 });
  assert.ok(all.x.length <= 400);
  assert.ok(all.y.includes(99));
  assert.deepEqual(
    [...all.x].sort((one, other) => one - other),
    all.x,
  );
  const part = made.points("loss", { from: 100, to: 200, limit: 400 });
  assert.ok(part.x.length >= 101, "every step of the window");
});

test("a long run is thinned evenly where it is old, and keeps what is rare", () => {
  const made = new Series();
  for (let from = 0; from < 60_000; from += 100) {
    const step = Array.from({ length: 100 }, (_, index) => from + index);
    made.append({ step, loss: step, accuracy: step.map((each) => (each % 750 ? null : each)) });
  }
  assert.ok(made.steps.length <= 8000);
  assert.equal(made.rows.size, made.steps.length);
  assert.deepEqual(
    made.steps.slice(-1000),
    [...Array(1000).keys()].map((index) => 59_000 + index),
  );
  for (const step of [0, 12_345, 30_000, 58_000]) {
    assert.ok(step - made.at("loss", step) < 64, `${made.at("loss", step)} at ${step}`);
  }
  const accuracies = made.points("accuracy").y;
  assert.equal(accuracies.length, 80);
});

test("smoothing begins at the first value and keeps a constant", () => {
  assert.deepEqual(smooth([3, 3, 3], 5), [3, 3, 3]);
  assert.equal(smooth([7, 0], 1)[0], 7);
  assert.ok(smooth([0, 9], 1)[1] > 0 && smooth([0, 9], 1)[1] < 9);
});
