import assert from "node:assert/strict";
import { test } from "node:test";

import { isBetter, newestOf } from "../../../../dashboard/assets/run/run-list.js";
import { backoff } from "../../../../dashboard/assets/protocol/reconnecting-socket.js";

test("waits grow, are bounded, and half of each is left to chance", () => {
  assert.deepEqual([backoff(0, 0), backoff(0, 1)], [125, 250]);
  assert.ok(backoff(3, 0.5) > backoff(2, 0.5));
  assert.equal(backoff(60, 1), 10_000);
  assert.equal(backoff(60, 0), 5000);
});

const run = (id, status, created) => ({ id, status, created });

test("what is shown unasked is what trains, else what may, else the newest", () => {
  const old = run("old", "running", 1);
  const paused = run("paused", "paused", 2);
  const ended = run("ended", "finished", 3);
  assert.equal(newestOf([ended, paused, old]), old);
  assert.equal(newestOf([ended, paused]), paused);
  assert.equal(newestOf([ended]), ended);
  assert.equal(newestOf([]), null);
});

test("a live run is left only for a newer one", () => {
  const runs = [run("new", "running", 2), run("old", "paused", 1)];
  assert.ok(isBetter(runs[0], "old", runs));
  assert.ok(!isBetter(runs[1], "new", runs));
  assert.ok(!isBetter(runs[0], "new", runs));
  assert.ok(isBetter(runs[0], "gone", runs));
});
