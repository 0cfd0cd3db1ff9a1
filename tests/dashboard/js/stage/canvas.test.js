import assert from "node:assert/strict";
import { test } from "node:test";

import { fit, marginOf, sharp } from "../../../../dashboard/assets/stage/canvas.js";

// Twelve pairs of 48 and 28 pixels, as on the page.
const pair = (scale) => {
  const height = scale * (48 + 2 * marginOf(48, 48));
  return { width: height + 4 + sharp(height, [28, 28], 1).width, height: height + 24 };
};
const room = (width, height, density = 1) =>
  fit({ count: 12, width, height, pair, gap: 10, density });

test("pairs fill the room, with whole pixels where they can", () => {
  assert.deepEqual(room(1006, 490), { columns: 4, scale: 2 });
  assert.deepEqual(room(1540, 760), { columns: 4, scale: 3 });
  assert.deepEqual(room(752, 700), { columns: 3, scale: 2 });
  // Three columns could be larger than four, but not by whole pixels.
  assert.deepEqual(room(1149, 640), { columns: 4, scale: 2 });
  assert.equal((room(1006, 490, 2).scale * 2) % 1, 0);
});

test("on a narrow screen pairs stay readable and nothing is wider than the screen", () => {
  for (const width of [320, 360, 390, 480]) {
    const { columns, scale } = room(width, 300);
    const size = pair(scale);
    assert.ok(columns * size.width + (columns - 1) * 10 <= width);
    assert.ok(size.height >= 90, `${size.height} high at ${width}`);
  }
  assert.equal(room(360, 300).columns, 2);
});

test("outputs keep their shape and are as high as their tile or a little less", () => {
  assert.deepEqual(sharp(120, [28, 28], 1), { height: 112, width: 112 });
  assert.deepEqual(sharp(100, [28, 56], 1), { height: 100, width: 200 });
});
