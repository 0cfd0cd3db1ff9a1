import assert from "node:assert/strict";
import { test } from "node:test";

import * as play from "../../../../dashboard/assets/run/player.js";

const steps = Array.from({ length: 41 }, (_, index) => 10 * index);
const live = () => play.openPlayer({ steps, live: true });
const ended = () => play.openPlayer({ steps, live: false });

test("a live run is followed from its newest step", () => {
  const player = live();
  assert.deepEqual([player.mode, player.at], ["follow", 400]);
  const next = play.arrive(player, 412);
  assert.deepEqual([next.mode, next.at, next.steps.at(-1)], ["follow", 412, 412]);
  assert.deepEqual(player.steps, steps, "the earlier state is as it was");
});

test("a chosen step is not moved by what arrives", () => {
  const held = play.seek(live(), 137);
  assert.deepEqual([held.mode, held.at], ["hold", 130]);
  const next = play.arrive(held, 412);
  assert.deepEqual([next.mode, next.at, next.steps.at(-1)], ["hold", 130, 412]);
  assert.equal(play.list(next, [...steps, 405, 412]).at, 130);
});

test("arrows move by recorded steps and stop at the first", () => {
  const held = play.seek(live(), 20);
  assert.equal(play.move(held, 1).at, 30);
  assert.equal(play.move(held, -1).at, 10);
  assert.equal(play.move(held, -9).at, 0);
  assert.equal(play.move(live(), -1).at, 390);
});

test("beyond the newest step a live run is followed again, and an ended one stands", () => {
  assert.equal(play.move(play.seek(live(), 400), 1).mode, "follow");
  const player = play.move(play.seek(ended(), 400), 1);
  assert.deepEqual([player.mode, player.at], ["hold", 400]);
  assert.equal(play.newest(live()).mode, "follow");
  assert.deepEqual([play.newest(ended()).mode, play.first(ended()).at], ["hold", 0]);
});

test("an ended run replays in a loop, each step no faster than it can be shown", () => {
  let player = ended();
  assert.deepEqual([player.mode, player.at], ["replay", 0]);
  assert.equal(
    play.advance(player, 1, () => false),
    player,
  );
  const seen = [];
  for (let frame = 0; frame < 60 * 8; frame++) {
    player = play.advance(player, 1 / 60);
    if (seen.at(-1) !== player.at) seen.push(player.at);
  }
  assert.deepEqual(seen.slice(0, 42), [...steps, 0], "every step once, then from the start");
});

test("a replay of a live run ends in following it", () => {
  let player = play.toggle(play.seek(live(), 380));
  assert.equal(player.mode, "replay");
  for (let frame = 0; frame < 60; frame++) player = play.advance(player, 1 / 60);
  assert.deepEqual([player.mode, player.at], ["follow", 400]);
});

test("space holds what moves and moves what is held", () => {
  assert.deepEqual([play.toggle(live()).mode, play.toggle(live()).at], ["hold", 400]);
  assert.equal(play.toggle(play.toggle(live())).mode, "follow");
  assert.equal(play.toggle(ended()).mode, "hold");
  assert.deepEqual(
    [play.toggle(play.seek(ended(), 400)).mode, play.toggle(play.seek(ended(), 400)).at],
    ["replay", 0],
  );
});

test("with reduced motion nothing moves unasked", () => {
  const player = play.openPlayer({ steps, live: false, calm: true });
  assert.deepEqual([player.mode, player.at], ["hold", 400]);
  const calm = play.openPlayer({ steps, live: true, calm: true });
  assert.equal(play.settle(calm, false).mode, "hold");
});

test("a run that ends stays at its last step for a while, then replays", () => {
  let player = play.settle(live(), false);
  assert.equal(player.at, 400);
  player = play.advance(player, play.ENDED_REST_SECONDS - 0.5);
  assert.equal(player.at, 400);
  assert.equal(play.advance(player, 1).at, 0);
  assert.equal(play.settle(play.seek(live(), 20), false).at, 20, "a held step stays");
});

test("a run that was cut short stays at its last step, and is followed when it goes on", () => {
  const cut = play.settle(live(), false, false);
  assert.deepEqual([cut.mode, cut.at], ["follow", 400]);
  assert.equal(play.advance(cut, 10).at, 400);
  assert.equal(play.arrive(play.settle(cut, true), 410).at, 410);
});

test("a run that goes on is followed unless a step is held", () => {
  assert.equal(play.settle(ended(), true).mode, "follow");
  assert.deepEqual(play.settle(play.seek(ended(), 20), true).at, 20);
});

test("steps that are run again stay in order, each once", () => {
  const again = play.arrive(play.arrive(live(), 205), 200);
  assert.deepEqual(again.steps.slice(19, 23), [190, 200, 205, 210]);
  assert.equal(again.at, 200);
});

test("a player without steps shows nothing and breaks nothing", () => {
  const none = play.openPlayer({ live: true });
  assert.equal(none.at, null);
  for (const act of [play.first, play.newest, play.toggle]) assert.equal(act(none).at, null);
  assert.equal(play.move(none, 1).at, null);
  assert.equal(play.seek(none, 5).at, null);
  assert.equal(play.advance(play.openPlayer({}), 1).at, null);
});

test("long replays are faster, within bounds", () => {
  const rate = (count) => play.rate(play.openPlayer({ steps: Array.from({ length: count }) }));
  assert.deepEqual([rate(5), rate(600), rate(9000)], [play.SLOWEST, 30, play.FASTEST]);
});

test("at the screen's own pace no frame is left out, however unevenly it paints", () => {
  const steps = Array.from({ length: 3000 }, (_, index) => index);
  let player = play.openPlayer({ steps });
  for (let paint = 1; paint < 600; paint++) {
    player = play.advance(player, (paint % 3 ? 0.9 : 1.2) / 60);
    assert.equal(player.at, paint);
  }
});
