import assert from "node:assert/strict";
import { test } from "node:test";

import {
  defaultRun,
  mergeRuns,
  shouldSwitch,
} from "../../../../dashboard/assets/playback/run-list.js";

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
  const [newer, older] = [run("new", 2, { live: true }), run("old", 1, { live: true })];
  assert.ok(shouldSwitch(newer, older));
  assert.ok(!shouldSwitch(older, newer));
  assert.ok(!shouldSwitch(newer, newer));
  assert.ok(!shouldSwitch(null, null));
  assert.ok(shouldSwitch(older, run("ended", 3, {})));
  assert.ok(shouldSwitch(newer, null));
});

test("mergeRuns puts live runs among the newest, each once and in order", () => {
  const [first, second] = [run("c", 3, {}), run("b", 2, {})];
  const [again, oldest] = [run("b", 2, { live: true }), run("a", 1, { live: true })];
  const merged = mergeRuns([first, second], [run("d", 4, { live: true }), again, oldest]);
  assert.deepEqual(merged.map((each) => each.id), ["d", "c", "b", "a"]);
  assert.equal(merged[2], second);
});
