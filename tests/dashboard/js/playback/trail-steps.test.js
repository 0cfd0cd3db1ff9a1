import assert from "node:assert/strict";
import { test } from "node:test";

import { trailSteps } from "../../../../dashboard/assets/playback/trail-steps.js";

const steps = Array.from({ length: 1001 }, (_, index) => 2 * index);

test("trailSteps ends at the current step and covers the span before it", () => {
  const chosen = trailSteps(steps, 500, 100);
  assert.equal(chosen.at(-1), 500);
  assert.ok(chosen[0] >= 400 && chosen[0] < 410, String(chosen[0]));
  assert.ok(chosen.length > 16 && chosen.length <= 34);
});

test("trailSteps changes little from one step to the next", () => {
  const [one, other] = [500, 502].map((at) => new Set(trailSteps(steps, at, 400)));
  const shared = [...one].filter((step) => other.has(step));
  assert.ok(shared.length >= one.size - 2);
});

test("trailSteps without a span covers all earlier steps", () => {
  const all = trailSteps(steps, 2000);
  assert.deepEqual([all[0], all.at(-1)], [0, 2000]);
  assert.ok(all.length <= 34);
  assert.deepEqual(trailSteps(steps, 0, 100), [0]);
  assert.deepEqual(trailSteps([], null), []);
  assert.deepEqual(trailSteps([5, 9], 9, 100), [5, 9]);
});
