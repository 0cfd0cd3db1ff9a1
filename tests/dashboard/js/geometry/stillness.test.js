import assert from "node:assert/strict";
import { test } from "node:test";

import { stillness } from "../../../../dashboard/assets/geometry/stillness.js";

/** @param {...number} data of a 2x2 image */
const image = (...data) => ({ data: Uint8Array.from(data), shape: [2, 2, 1] });
const moving = [image(9, 0, 0, 0), image(0, 9, 0, 0), image(0, 0, 9, 0), image(0, 0, 0, 9)];

test("stillness is 1 where the output is the input, and 0 where it stands still", () => {
  assert.equal(stillness(moving, moving), 1);
  assert.equal(stillness(moving, moving.map(() => image(0, 9, 0, 9))), 0);
});

test("stillness is undefined where nothing moves or an image is uniform", () => {
  assert.equal(stillness(moving.map(() => moving[0]), moving), null);
  assert.equal(stillness(moving, moving.map(() => image(5, 5, 5, 5))), null);
  assert.equal(stillness([], []), null);
});
