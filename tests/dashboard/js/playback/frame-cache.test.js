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

test("listSteps requests only later steps, unless those that are known were dropped", async () => {
  /** @type {object[]} */
  const queries = [];
  let recorded = [0, 2, 4];
  let attempt = 0;
  /** @param {string} _ @param {{after?: number}} query */
  const frames = (_, query = {}) => {
    queries.push(query);
    const after = query.after ?? -1;
    const steps = recorded.filter((step) => step > after);
    return Promise.resolve({ attempt, before: recorded.length - steps.length, steps, laps: [] });
  };
  const cache = new FrameCache(/** @type {any} */ ({ frames }), "run");
  assert.deepEqual(await cache.listSteps(), [0, 2, 4]);
  recorded = [0, 2, 4, 6];
  assert.deepEqual(await cache.listSteps(), [0, 2, 4, 6]);
  assert.deepEqual(queries, [{ after: undefined }, { after: 4 }]);
  recorded = [0, 4, 6, 8];
  assert.deepEqual(await cache.listSteps(), [0, 4, 6, 8]);
  [attempt, recorded] = [1, [0, 4, 5, 8]];
  assert.deepEqual(await cache.listSteps(), [0, 4, 5, 8]);
  assert.equal(queries.length, 6);
});
