import assert from "node:assert/strict";
import { test } from "node:test";

import { Asked } from "../../../../dashboard/assets/protocol/transform-stream.js";

test("what is asked is numbered and carries what is wanted", () => {
  const asked = new Asked();
  assert.deepEqual(asked.next({ picture: "x", corners: {} }), {
    type: "transform",
    request: 1,
    picture: "x",
    corners: {},
  });
  assert.equal(asked.next({}).request, 2);
});

test("only the answer to the newest settles anything", () => {
  const asked = new Asked();
  asked.next({});
  const newest = asked.next({});
  assert.equal(asked.settle(1), false);
  assert.equal(asked.open, newest, "it is asked once more where the connection is lost");
  assert.equal(asked.settle(undefined), false);
  assert.equal(asked.settle(2), true);
  assert.equal(asked.open, null);
});
