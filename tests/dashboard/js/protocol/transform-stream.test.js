import assert from "node:assert/strict";
import { test } from "node:test";

import { PendingRequest } from "../../../../dashboard/assets/protocol/transform-stream.js";

test("next numbers requests", () => {
  const pending = new PendingRequest();
  assert.deepEqual(pending.next({ picture: "x", corners: {} }), {
    type: "transform",
    request: 1,
    picture: "x",
    corners: {},
  });
  /** @type {any} */
  const second = pending.next({});
  assert.equal(second.request, 2);
});

test("settle accepts only the answer to the newest request", () => {
  const pending = new PendingRequest();
  pending.next({});
  const newest = pending.next({});
  assert.equal(pending.settle(1), false);
  assert.equal(pending.message, newest, "it is sent again after a reconnect");
  assert.equal(pending.settle(undefined), false);
  assert.equal(pending.settle(2), true);
  assert.equal(pending.message, null);
});
