import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Recording } from "../../../../dashboard/assets/run/frame-cache.js";

const settled = () => new Promise((done) => setImmediate(done));

test("a server that is gone is not asked again for every frame of a replay", async () => {
  mock.timers.enable({ apis: ["Date"] });
  let asked = 0;
  const frame = () => Promise.reject(new Error(`gone, ${++asked}`));
  const recording = new Recording({ frame }, "run");
  recording.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  const first = asked;
  assert.ok(first > 0);
  recording.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  assert.equal(asked, first);
  mock.timers.tick(1000);
  recording.prefetch([1, 2, 3, 4, 5, 6]);
  await settled();
  assert.equal(asked, 2 * first);
});
