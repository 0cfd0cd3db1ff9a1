import assert from "node:assert/strict";
import { test } from "node:test";

import { defaultRun, shouldSwitch } from "../../../../dashboard/assets/playback/run-list.js";

const LIVE = ["running", "paused"];
/** @param {string} id @param {string} status @param {number} created @returns {any} */
const run = (id, status, created) => ({ id, status, created, live: LIVE.includes(status) });

test("defaultRun prefers a training run, then a live one, then the newest", () => {
  const old = run("old", "running", 1);
  const paused = run("paused", "paused", 2);
  const ended = run("ended", "finished", 3);
  assert.equal(defaultRun([ended, paused, old]), old);
  assert.equal(defaultRun([ended, paused]), paused);
  assert.equal(defaultRun([ended]), ended);
  assert.equal(defaultRun([]), null);
});

test("defaultRun passes over runs whose recordings cannot be read", () => {
  const damaged = { ...run("damaged", "damaged", 4), config: null };
  const ended = run("ended", "finished", 3);
  assert.equal(defaultRun([damaged, ended]), ended);
  assert.equal(defaultRun([damaged]), null);
});

test("shouldSwitch leaves a live run only for a newer one", () => {
  const runs = [run("new", "running", 2), run("old", "paused", 1)];
  assert.ok(shouldSwitch(runs[0], "old", runs));
  assert.ok(!shouldSwitch(runs[1], "new", runs));
  assert.ok(!shouldSwitch(runs[0], "new", runs));
  assert.ok(shouldSwitch(runs[0], "gone", runs));
});
