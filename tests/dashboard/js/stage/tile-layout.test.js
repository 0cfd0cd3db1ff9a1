import assert from "node:assert/strict";
import { test } from "node:test";

import { inputMargin } from "../../../../dashboard/assets/geometry/input-margin.js";
import {
  fitPanes,
  fitTiles,
  PANE_CAPTION_HEIGHT,
  PANE_GAP,
  wholePixelSize,
} from "../../../../dashboard/assets/stage/tile-layout.js";

// Twelve tiles of 48 and 28 pixels, as on the page.
/** @param {number} scale */
const tile = (scale) => {
  const height = scale * (48 + 2 * inputMargin(48, 48));
  return { width: height + 4 + wholePixelSize(height, [28, 28], 1).width, height: height + 24 };
};
/** @param {number} width @param {number} height */
const layoutIn = (width, height, density = 1) =>
  fitTiles({ count: 12, width, height, tile, gap: 10, density });

test("tiles fill the space, with whole pixels where they can", () => {
  assert.deepEqual(layoutIn(1006, 490), { columns: 4, scale: 2 });
  assert.deepEqual(layoutIn(1540, 760), { columns: 4, scale: 3 });
  assert.deepEqual(layoutIn(752, 700), { columns: 3, scale: 2 });
  // Three columns could be larger than four, but not by whole pixels.
  assert.deepEqual(layoutIn(1149, 640), { columns: 4, scale: 2 });
  assert.equal((layoutIn(1006, 490, 2).scale * 2) % 1, 0);
});

test("on a narrow screen tiles stay readable and nothing is wider than the screen", () => {
  for (const width of [320, 360, 390, 480]) {
    const { columns, scale } = layoutIn(width, 300);
    const size = tile(scale);
    assert.ok(columns * size.width + (columns - 1) * 10 <= width);
    assert.ok(size.height >= 90, `${size.height} high at ${width}`);
  }
  assert.equal(layoutIn(360, 300).columns, 2);
});

test("wholePixelSize keeps the shape and fills the height or a little less", () => {
  assert.deepEqual(wholePixelSize(120, [28, 28], 1), { height: 112, width: 112 });
  assert.deepEqual(wholePixelSize(100, [28, 56], 1), { height: 100, width: 200 });
});

const space = { width: 742, height: 470 };

test("input and output fill the space with whole pixels, the output a little smaller if need be", () => {
  const { scale, sizes } = fitPanes(space, [64, 64], [[28, 28]], 1);
  assert.equal(scale, 6);
  assert.deepEqual(sizes, [[336, 336]]);
  assert.ok(scale * 64 + PANE_GAP + sizes[0][1] <= space.width);
});

test("several outputs are no higher than their input, and together fill the area", () => {
  const two = fitPanes(space, [64, 64], [[28, 28], [28, 28]], 1);
  assert.equal(two.columns, 1);
  assert.ok(
    2 * (two.sizes[0][0] + PANE_CAPTION_HEIGHT) + PANE_GAP <= two.scale * 64 + PANE_CAPTION_HEIGHT,
  );
  // Beside an input that fills the width there is space for one column only.
  const three = fitPanes(
    { width: 601, height: 470 },
    [134, 134],
    [[33, 33], [33, 33], [33, 33]],
    1,
  );
  assert.deepEqual([three.scale, three.columns], [3, 1]);
  const wide = fitPanes(
    { width: 1200, height: 470 },
    [134, 134],
    [[33, 33], [33, 33], [33, 33]],
    1,
  );
  assert.deepEqual([wide.scale, wide.columns], [3, 2]);
  const across = wide.sizes.slice(0, 2).reduce((sum, [, width]) => sum + PANE_GAP + width, 3 * 134);
  assert.ok(across <= 1200 && wide.sizes[0][0] > three.sizes[0][0]);
});

test("without outputs there are no sizes, and large images are made smaller", () => {
  const alone = fitPanes(space, [64, 64], [], 1);
  assert.deepEqual([alone.scale, alone.sizes], [7, []]);
  const large = fitPanes(space, [2000, 2000], [[500, 500]], 1);
  assert.ok(large.scale < 1 && large.scale * 2000 <= space.height);
});
