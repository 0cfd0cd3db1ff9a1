import assert from "node:assert/strict";
import { test } from "node:test";

import { phaseAt, phasesOf } from "../../../../dashboard/assets/controls/step-phases.js";

test("phasesOf leaves out the transformer's phases for a network without one", () => {
  assert.deepEqual(
    phasesOf(true).map(({ name }) => name),
    ["batch", "localise", "theta", "sample", "loss", "step"],
  );
  assert.deepEqual(
    phasesOf(false).map(({ name }) => name),
    ["batch", "loss", "step"],
  );
});

test("phaseAt divides a step evenly, and the last phase lasts", () => {
  assert.deepEqual(
    [0, 0.4, 0.6, 2.9, 3, 100].map((elapsed) => phaseAt(elapsed, 3, 6)),
    [0, 0, 1, 5, 5, 5],
  );
});
