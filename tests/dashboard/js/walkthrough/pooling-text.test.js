import assert from "node:assert/strict";
import { test } from "node:test";

import {
  poolingText,
  toleratedShifts,
} from "../../../../dashboard/assets/walkthrough/pooling-text.js";

/** @param {number} reach @returns {[number, number][]} */
const line = (reach) =>
  [-3, -2, -1, 0, 1, 2, 3].map((shift) => [shift, Math.abs(shift) <= reach ? 0.9 : 0.1]);

test("shifts are tolerated as far as the class keeps half the probability", () => {
  assert.deepEqual(toleratedShifts(line(1)), [-1, 1]);
  assert.deepEqual(toleratedShifts(line(9)), [-3, 3]);
  // A recovery further out does not count.
  assert.deepEqual(toleratedShifts([[-1, 0.2], [0, 0.5], [1, 0.4], [2, 0.8]]), [0, 0]);
  assert.equal(toleratedShifts([[-1, 0.9], [0, 0.49], [1, 0.9]]), null);
});

test("the answer names what is tolerated and what is not", () => {
  const changes = [
    { title: "a rotation by 45°", withoutTransformer: 0.12, withTransformer: 0.88 },
    { title: "60% of the size", withoutTransformer: 0.6, withTransformer: 0.7 },
  ];
  const text = poolingText("7", [line(1), line(3)], changes, (shift) => `${shift} px`);
  assert.equal(
    text,
    "Pooling tolerates shifts from -1 px to 1 px, and 60% of the size (60%; with a transformer 70%): there 7 " +
      "keeps at least 50%. It does not tolerate larger shifts, nor a rotation by 45° (12%; with a transformer " +
      "88%). With the transformer it keeps that from -3 px to 3 px.",
  );
  assert.match(poolingText("7", [line(-1), line(3)], [], String), /not classified as 7/);
});
