import assert from "node:assert/strict";
import { test } from "node:test";

import { fit, marginOf, region, sharp } from "../../../dashboard/assets/draw.js";

const box = { left: -6, top: -6, right: 54, bottom: 54 };

test("a region inside the image is drawn where it is", () => {
  const drawn = region([0, 0, 48, 0, 0, 48, 48, 48], box);
  assert.deepEqual(drawn, {
    outline: "M0,0L48,0L48,48L0,48Z",
    square: "M0,0h0",
    round: "M48,0h0M48,48h0M0,48h0",
    farSquare: "",
    farRound: "",
  });
});

test("a corner outside the image is drawn outside it, and one far away at the edge and marked", () => {
  const drawn = region([-4, 10, 90, 10, 10, 40, 40, 200], box);
  assert.equal(drawn.outline, "M-4,10L90,10L40,200L10,40Z", "the outline keeps its true course");
  assert.equal(drawn.square, "M-4,10h0");
  assert.equal(drawn.farSquare, "");
  assert.equal(drawn.round, "M54,10h0M40,54h0M10,40h0");
  assert.equal(drawn.farRound, "M54,10h0M40,54h0");
  assert.equal(region([-90, -90, 0, 0, 9, 9, 0, 9], box).farSquare, "M-6,-6h0");
});

test("a bent side is drawn along its points, a straight one as a line", () => {
  const lattice = [0, 0, 24, -3, 48, 0, 0, 24, 24, 24, 48, 24, 0, 48, 24, 48, 48, 48];
  assert.equal(region(lattice, box).outline, "M0,0L24,-3L48,0L48,48L0,48Z");
});

test("a region that is no number is not drawn", () => {
  assert.equal(region([NaN, 0, 1, 0, 0, 1, 1, 1], box).outline, "");
  assert.equal(region([0, 0, Infinity, 0, 0, 1, 1, 1], box).round, "");
});

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
