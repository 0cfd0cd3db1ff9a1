import assert from "node:assert/strict";
import { test } from "node:test";

import { Metrics, smooth } from "../../../../dashboard/assets/playback/metrics.js";

/** @param {number} count */
function metricsOf(count) {
  const made = new Metrics();
  const step = Array.from({ length: count }, (_, index) => index);
  made.append({
    step,
    loss: step.map((each) => 1 / (1 + each)),
    accuracy: step.map((each) => (each % 50 ? null : each / count)),
  });
  return made;
}

test("append adds rows, and replaces those of repeated steps", () => {
  const made = metricsOf(10);
  made.append({ step: [10, 11], loss: [5, 6], accuracy: [null, null] });
  made.append({ step: [4, 12], loss: [7, 8], accuracy: [null, null] });
  assert.equal(made.lastStep, 12);
  assert.equal(made.valueAt("loss", 4), 7);
  assert.deepEqual(made.points("loss").x, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test("further metrics have columns of their own, which may come and go", () => {
  const made = new Metrics();
  made.append({ step: [0], loss: [1], scalars: { loss: [7], constructor: [null] } });
  made.append({ step: [1], loss: [2], scalars: { constructor: [0.5] } });
  made.append({ step: [2], loss: [3] });
  const [loss, constructor] = made.scalars;
  assert.deepEqual([loss.name, constructor.name], ["loss", "constructor"]);
  assert.deepEqual(made.points(constructor.column), { x: [1], y: [0.5] });
  assert.equal(made.valueAt(constructor.column, 0), null);
  assert.deepEqual(made.points(loss.column).y, [7]);
  assert.deepEqual(made.points("loss").y, [1, 2, 3]);
});

test("append sorts rows that are late", () => {
  const made = new Metrics();
  made.append({ step: [5, 7], loss: [5, 7] });
  made.append({ step: [6], loss: [6] });
  assert.deepEqual(made.points("loss").y, [5, 6, 7]);
});

test("valueAt returns the nearest value before", () => {
  const made = metricsOf(120);
  assert.equal(made.valueAt("accuracy", 99), 50 / 120);
  assert.equal(made.valueAt("accuracy", 100), 100 / 120);
  assert.equal(new Metrics().valueAt("loss", 3), null);
});

test("points keeps peaks and every step of a short window", () => {
  const made = metricsOf(7000);
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

test("append thins old rows evenly and keeps rare values", () => {
  const made = new Metrics();
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
    const value = Number(made.valueAt("loss", step));
    assert.ok(step - value < 64, `${value} at ${step}`);
  }
  const accuracies = made.points("accuracy").y;
  assert.equal(accuracies.length, 80);
});

test("smooth starts at the first value and keeps a constant", () => {
  assert.deepEqual(smooth([3, 3, 3], 5), [3, 3, 3]);
  assert.equal(smooth([7, 0], 1)[0], 7);
  assert.ok(smooth([0, 9], 1)[1] > 0 && smooth([0, 9], 1)[1] < 9);
});
