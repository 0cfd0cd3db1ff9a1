import assert from "node:assert/strict";
import { test } from "node:test";

import { defaultRun, shouldSwitch } from "../../../../dashboard/assets/playback/run-list.js";

/** @param {string} id @param {number} created @param {object} flags @returns {any} */
const run = (id, created, flags) => ({ id, created, running: false, live: false, ...flags });

test("defaultRun prefers a training run, then a live one, then the newest", () => {
  const old = run("old", 1, { running: true, live: true });
  const paused = run("paused", 2, { live: true });
  const ended = run("ended", 3, {});
  assert.equal(defaultRun([ended, paused, old]), old);
  assert.equal(defaultRun([ended, paused]), paused);
  assert.equal(defaultRun([ended]), ended);
  assert.equal(defaultRun([]), null);
});

test("defaultRun passes over runs whose recordings cannot be read", () => {
  const damaged = { ...run("damaged", 4, {}), config: null };
  const ended = run("ended", 3, {});
  assert.equal(defaultRun([damaged, ended]), ended);
  assert.equal(defaultRun([damaged]), null);
});

test("shouldSwitch leaves a live run only for a newer one", () => {
  const runs = [run("new", 2, { running: true, live: true }), run("old", 1, { live: true })];
  assert.ok(shouldSwitch(runs[0], "old", runs));
  assert.ok(!shouldSwitch(runs[1], "new", runs));
  assert.ok(!shouldSwitch(runs[0], "new", runs));
  assert.ok(shouldSwitch(runs[0], "gone", runs));
});
