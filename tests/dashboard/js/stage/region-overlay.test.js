import assert from "node:assert/strict";
import { test } from "node:test";

import {
  dotsPath,
  meshPath,
  regionPaths,
  trailPath,
} from "../../../../dashboard/assets/stage/region-overlay.js";

const box = { left: -6, top: -6, right: 54, bottom: 54 };

test("a region inside the image is drawn where it is", () => {
  const drawn = regionPaths([0, 0, 48, 0, 0, 48, 48, 48], box);
  assert.deepEqual(drawn, {
    outline: "M0,0L48,0L48,48L0,48Z",
    square: "M0,0h0",
    round: "M48,0h0M48,48h0M0,48h0",
    outsideSquare: "",
    outsideRound: "",
  });
});

test("a corner outside the image is drawn there, one beyond the box at its edge and marked", () => {
  const drawn = regionPaths([-4, 10, 90, 10, 10, 40, 40, 200], box);
  assert.equal(drawn.outline, "M-4,10L90,10L40,200L10,40Z", "the outline is not clamped");
  assert.equal(drawn.square, "M-4,10h0");
  assert.equal(drawn.outsideSquare, "");
  assert.equal(drawn.round, "M54,10h0M40,54h0M10,40h0");
  assert.equal(drawn.outsideRound, "M54,10h0M40,54h0");
  assert.equal(regionPaths([-90, -90, 0, 0, 9, 9, 0, 9], box).outsideSquare, "M-6,-6h0");
});

test("a bent side is drawn through its points, a straight one as a line", () => {
  const lattice = [0, 0, 24, -3, 48, 0, 0, 24, 24, 24, 48, 24, 0, 48, 24, 48, 48, 48];
  assert.equal(regionPaths(lattice, box).outline, "M0,0L24,-3L48,0L48,48L0,48Z");
});

test("a region that is not finite is not drawn", () => {
  assert.equal(regionPaths([NaN, 0, 1, 0, 0, 1, 1, 1], box).outline, "");
  assert.equal(regionPaths([0, 0, Infinity, 0, 0, 1, 1, 1], box).round, "");
});

test("meshPath draws the lattice's inner lines", () => {
  const lattice = [0, 0, 24, -3, 48, 0, 0, 24, 24, 24, 48, 24, 0, 48, 24, 48, 48, 48];
  assert.equal(meshPath(lattice), "M0,24L24,24L48,24M24,-3L24,24L24,48");
  assert.equal(meshPath(lattice.map(() => Number.NaN)), "");
});

test("trailPath connects the earlier and present points of each corner", () => {
  const [before, present] = [0, 5].map((x) => [x, 0, 48, 0, 0, 48, 48, 48]);
  assert.equal(trailPath([before, present]), "M0,0L5,0M48,0L48,0M48,48L48,48M0,48L0,48");
  assert.equal(trailPath([present]), "", "a single frame has no trail");
});

test("dotsPath leaves out points that are not finite", () => {
  assert.equal(dotsPath([[1, 2], [Number.NaN, 0], [3.456, 4]]), "M1,2h0M3.46,4h0");
});
