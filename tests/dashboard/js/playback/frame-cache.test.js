import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { FrameCache } from "../../../../dashboard/assets/playback/frame-cache.js";

const settled = () => new Promise((done) => setImmediate(done));

test("prefetch waits after a failure before it requests frames again", async () => {
  mock.timers.enable({ apis: ["Date"] });
  let requests = 0;
  const frame = () => Promise.reject(new Error(`failed request ${++requests}`));
  const cache = new FrameCache(/** @type {any} */ ({ frame }), "run");
  cache.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  const first = requests;
  assert.ok(first > 0);
  cache.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  assert.equal(requests, first);
  mock.timers.tick(1000);
  cache.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  assert.equal(requests, 2 * first);
});
