import assert from "node:assert/strict";
import { test } from "node:test";

import { stepsOfTenths } from "../../../../dashboard/assets/walkthrough/recorded-animation.js";

test("each tenth of the first epoch is the first step recorded in it", () => {
  const steps = [0, 8, 20, 25, 39, 58, 77, 96, 115, 134, 153, 172, 191, 210];
  assert.deepEqual(stepsOfTenths(steps, 191), [0, 20, 39, 58, 77, 96, 115, 134, 153, 172, 191]);
  assert.deepEqual(stepsOfTenths([0, 5], 10), [0, 5, 5, 5, 5, 5], "a run that was stopped");
});
