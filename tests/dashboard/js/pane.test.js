import assert from "node:assert/strict";
import { test } from "node:test";

import { GAP, panesWithin } from "../../../dashboard/assets/pane.js";

const room = { width: 742, height: 470 };

test("input and output fill the room with whole pixels, the output a little smaller if need be", () => {
  const { scale, sizes } = panesWithin(room, [64, 64], [[28, 28]], 1);
  assert.equal(scale, 6);
  assert.deepEqual(sizes, [[336, 336]]);
  assert.ok(scale * 64 + GAP + sizes[0][1] <= room.width);
});

test("several outputs stand below each other, none has none, and what is large is made smaller", () => {
  const { scale, sizes } = panesWithin(room, [64, 64], [[28, 28], [28, 28]], 1);
  assert.ok(2 * sizes[0][0] + GAP <= scale * 64);
  assert.deepEqual(panesWithin(room, [64, 64], [], 1), { scale: 7, sizes: [] });
  const large = panesWithin(room, [2000, 2000], [[500, 500]], 1);
  assert.ok(large.scale < 1 && large.scale * 2000 <= room.height);
});
