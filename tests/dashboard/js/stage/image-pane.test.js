import assert from "node:assert/strict";
import { test } from "node:test";

import { CAPTION, GAP, panesWithin } from "../../../../dashboard/assets/stage/image-pane.js";

const room = { width: 742, height: 470 };

test("input and output fill the room with whole pixels, the output a little smaller if need be", () => {
  const { scale, sizes } = panesWithin(room, [64, 64], [[28, 28]], 1);
  assert.equal(scale, 6);
  assert.deepEqual(sizes, [[336, 336]]);
  assert.ok(scale * 64 + GAP + sizes[0][1] <= room.width);
});

test("several outputs are no higher than their input, and together take what room there is", () => {
  const two = panesWithin(room, [64, 64], [[28, 28], [28, 28]], 1);
  assert.equal(two.columns, 1);
  assert.ok(2 * (two.sizes[0][0] + CAPTION) + GAP <= two.scale * 64 + CAPTION);
  // Beside an input that fills the width there is no room for more than one column.
  const three = panesWithin(
    { width: 601, height: 470 },
    [134, 134],
    [[33, 33], [33, 33], [33, 33]],
    1,
  );
  assert.deepEqual([three.scale, three.columns], [3, 1]);
  const wide = panesWithin(
    { width: 1200, height: 470 },
    [134, 134],
    [[33, 33], [33, 33], [33, 33]],
    1,
  );
  assert.deepEqual([wide.scale, wide.columns], [3, 2]);
  const across = wide.sizes.slice(0, 2).reduce((sum, [, width]) => sum + GAP + width, 3 * 134);
  assert.ok(across <= 1200 && wide.sizes[0][0] > three.sizes[0][0]);
});

test("none has none, and what is large is made smaller", () => {
  const alone = panesWithin(room, [64, 64], [], 1);
  assert.deepEqual([alone.scale, alone.sizes], [7, []]);
  const large = panesWithin(room, [2000, 2000], [[500, 500]], 1);
  assert.ok(large.scale < 1 && large.scale * 2000 <= room.height);
});
