import assert from "node:assert/strict";
import { test } from "node:test";

import * as play from "../../../../dashboard/assets/playback/player.js";

const steps = Array.from({ length: 41 }, (_, index) => 10 * index);
const live = () => play.createPlayer({ steps, live: true });
const ended = () => play.createPlayer({ steps, live: false });

test("createPlayer follows a live run from its newest step", () => {
  const player = live();
  assert.deepEqual([player.mode, player.step], ["follow", 400]);
  const next = play.addStep(player, 412);
  assert.deepEqual([next.mode, next.step, next.steps.at(-1)], ["follow", 412, 412]);
  assert.deepEqual(player.steps, steps, "the earlier state is as it was");
});

test("addStep leaves a paused player at its step", () => {
  const paused = play.seek(live(), 137);
  assert.deepEqual([paused.mode, paused.step], ["paused", 130]);
  const next = play.addStep(paused, 412);
  assert.deepEqual([next.mode, next.step, next.steps.at(-1)], ["paused", 130, 412]);
  assert.equal(play.setSteps(next, [...steps, 405, 412]).step, 130);
});

test("moveBy moves by recorded steps and stops at the first", () => {
  const paused = play.seek(live(), 20);
  assert.equal(play.moveBy(paused, 1).step, 30);
  assert.equal(play.moveBy(paused, -1).step, 10);
  assert.equal(play.moveBy(paused, -9).step, 0);
  assert.equal(play.moveBy(live(), -1).step, 390);
});

test("moveBy beyond the last step follows a live run and pauses an ended one", () => {
  assert.equal(play.moveBy(play.seek(live(), 400), 1).mode, "follow");
  const player = play.moveBy(play.seek(ended(), 400), 1);
  assert.deepEqual([player.mode, player.step], ["paused", 400]);
  assert.equal(play.goToLast(live()).mode, "follow");
  assert.deepEqual([play.goToLast(ended()).mode, play.goToFirst(ended()).step], ["paused", 0]);
});

test("advance replays an ended run in a loop, and waits for frames that are not ready", () => {
  let player = ended();
  assert.deepEqual([player.mode, player.step], ["replay", 0]);
  assert.equal(
    play.advance(player, 1, () => false),
    player,
  );
  /** @type {(number | null)[]} */
  const seen = [];
  for (let frame = 0; frame < 60 * 8; frame++) {
    player = play.advance(player, 1 / 60);
    if (seen.at(-1) !== player.step) seen.push(player.step);
  }
  assert.deepEqual(seen.slice(0, 42), [...steps, 0], "every step once, then from the start");
});

test("advance follows a live run at the end of its replay", () => {
  let player = play.togglePlay(play.seek(live(), 380));
  assert.equal(player.mode, "replay");
  for (let frame = 0; frame < 60; frame++) player = play.advance(player, 1 / 60);
  assert.deepEqual([player.mode, player.step], ["follow", 400]);
});

test("togglePlay pauses and plays", () => {
  assert.deepEqual([play.togglePlay(live()).mode, play.togglePlay(live()).step], ["paused", 400]);
  assert.equal(play.togglePlay(play.togglePlay(live())).mode, "follow");
  assert.equal(play.togglePlay(ended()).mode, "paused");
  assert.deepEqual(
    [play.togglePlay(play.seek(ended(), 400)).mode, play.togglePlay(play.seek(ended(), 400)).step],
    ["replay", 0],
  );
});

test("a player with reduced motion never replays by itself", () => {
  const player = play.createPlayer({ steps, live: false, reducedMotion: true });
  assert.deepEqual([player.mode, player.step], ["paused", 400]);
  const following = play.createPlayer({ steps, live: true, reducedMotion: true });
  assert.equal(play.setLive(following, false).mode, "paused");
});

test("setLive shows the last step of an ended run for a while, then replays", () => {
  let player = play.setLive(live(), false);
  assert.equal(player.step, 400);
  player = play.advance(player, play.ENDED_LAST_FRAME_SECONDS - 0.5);
  assert.equal(player.step, 400);
  assert.equal(play.advance(player, 1).step, 0);
  assert.equal(play.setLive(play.seek(live(), 20), false).step, 20, "a paused step stays");
});

test("setLive keeps an interrupted run at its last step, and follows it when it is resumed", () => {
  const interrupted = play.setLive(live(), false, false);
  assert.deepEqual([interrupted.mode, interrupted.step], ["follow", 400]);
  assert.equal(play.advance(interrupted, 10).step, 400);
  assert.equal(play.addStep(play.setLive(interrupted, true), 410).step, 410);
});

test("setLive follows a resumed run unless it is paused", () => {
  assert.equal(play.setLive(ended(), true).mode, "follow");
  assert.deepEqual(play.setLive(play.seek(ended(), 20), true).step, 20);
});

test("addStep keeps repeated steps in order, each once", () => {
  const again = play.addStep(play.addStep(live(), 205), 200);
  assert.deepEqual(again.steps.slice(19, 23), [190, 200, 205, 210]);
  assert.equal(again.step, 200);
});

test("a player without steps has no current step", () => {
  const none = play.createPlayer({ live: true });
  assert.equal(none.step, null);
  for (const act of [play.goToFirst, play.goToLast, play.togglePlay]) {
    assert.equal(act(none).step, null);
  }
  assert.equal(play.moveBy(none, 1).step, null);
  assert.equal(play.seek(none, 5).step, null);
  assert.equal(play.advance(play.createPlayer({}), 1).step, null);
});

test("replayRate grows with the length, within bounds", () => {
  /** @param {number} count */
  const rate = (count) =>
    play.replayRate(play.createPlayer({ steps: Array.from({ length: count }) }));
  assert.deepEqual([rate(5), rate(600), rate(9000)], [play.MIN_RATE, 30, play.MAX_RATE]);
});

test("advance skips no frame at about one frame per repaint", () => {
  const steps = Array.from({ length: 3000 }, (_, index) => index);
  let player = play.createPlayer({ steps });
  for (let paint = 1; paint < 600; paint++) {
    player = play.advance(player, (paint % 3 ? 0.9 : 1.2) / 60);
    assert.equal(player.step, paint);
  }
});
