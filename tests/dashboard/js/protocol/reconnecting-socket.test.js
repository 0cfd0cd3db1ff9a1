import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../../../../dashboard/assets/protocol/reconnecting-socket.js";

test("backoff grows up to a maximum, and half of it is random", () => {
  assert.deepEqual([backoff(0, 0), backoff(0, 1)], [125, 250]);
  assert.ok(backoff(3, 0.5) > backoff(2, 0.5));
  assert.equal(backoff(60, 1), 10_000);
  assert.equal(backoff(60, 0), 5000);
});
