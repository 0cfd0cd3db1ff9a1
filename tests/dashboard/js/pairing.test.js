import assert from "node:assert/strict";
import { test } from "node:test";

import { differences, stepBeside } from "../../../dashboard/assets/pairing.js";

test("by step the same step stands beside, by epoch the same share of one", () => {
  assert.equal(stepBeside(150, "step", 100, 50), 150);
  assert.equal(stepBeside(150, "epoch", 100, 50), 75);
  assert.equal(stepBeside(150, "epoch", null, 50), 150, "where epochs are not known, the step");
});

test("the second is told by how much it differs from the first", () => {
  const info = { step: 20, accuracy: 0.5, loss: 1.25, labels: [1, 2], predicted: [1, 0], stillness: null };
  const other = { ...info, accuracy: 0.625, loss: 0.75, predicted: [1, 2] };
  const rows = differences({ info }, { info: other });
  assert.deepEqual(
    rows.map(({ title, values, difference }) => [title, ...values, difference]),
    [
      ["Step", "20", "20", "0"],
      ["Accuracy", "50.0%", "62.5%", "+12.5 points"],
      ["Loss", "1.250", "0.750", "−0.500"],
      ["Probes right", "1", "2", "+1"],
      ["Stillness", "–", "–", "–"],
    ],
  );
});
