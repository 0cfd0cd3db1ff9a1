// What is looked at, and how it moves on. Pure: every function answers with the next state.
//
//   follow   the newest frame, whenever there is a newer one
//   hold     one step, chosen by hand, that no new frame moves
//   replay   recorded frames one after another; at the end it follows a live run, or begins again
//
// A player is {mode, at, steps, live, calm, round, position, rest}: `at` the step looked at, `steps`
// the recorded steps in order, `live` whether more may come, `calm` whether to move only when asked,
// `round` whether the last step leads back to the first, `position` the place in `steps` during a
// replay, `rest` the seconds since a replay's last frame.

// A replay of any length takes about this long, within what eyes and machines can follow.
const LOOP_SECONDS = 20;
// Exported for tests.
export const SLOWEST = 10;
// Exported for tests.
export const FASTEST = 60;
// How long the last frame of a replay stands before it begins again, and after a run has ended.
const REST_SECONDS = 1.5;
// Exported for tests.
export const ENDED_REST_SECONDS = 5;
// Frames a second of what goes round and round.
const ROUND_RATE = 20;

/** A player for a recording just opened. */
export function openPlayer({ steps = [], live = false, calm = false, round = false }) {
  const player = {
    mode: "follow",
    at: last(steps),
    steps,
    live,
    calm,
    round,
    position: 0,
    rest: 0,
  };
  if (live) return player;
  return calm ? hold(player, last(steps)) : replay(player, 0);
}

/** Recorded frames a second in a replay. */
// Exported for tests.
export function rate(player) {
  if (player.round) return ROUND_RATE;
  return Math.min(FASTEST, Math.max(SLOWEST, player.steps.length / LOOP_SECONDS));
}

/** A frame of `step` has come from the live end. */
export function arrive(player, step) {
  const steps = insert(player.steps, step);
  return { ...player, steps, at: player.mode === "follow" ? step : player.at };
}

/** The recording's steps, as listed anew. */
export function list(player, steps) {
  const place = indexOf(steps, player.at ?? 0);
  const at = player.mode === "follow" ? last(steps) : player.at;
  return { ...player, steps, at, position: player.mode === "replay" ? place : player.position };
}

/**
 * The run has ended, or goes on again.
 * @param {boolean} over whether it has come to its end, and was not cut short
 */
export function settle(player, live, over = true) {
  if (live === player.live) return player;
  const next = { ...player, live };
  if (live) return player.mode === "replay" ? newest(next) : next;
  // What was cut short stays at its last step, and is followed again when it goes on.
  if (player.mode !== "follow" || !over) return next;
  if (player.calm) return hold(next, last(next.steps));
  const position = Math.max(0, next.steps.length - 1);
  return { ...replay(next, position), rest: REST_SECONDS - ENDED_REST_SECONDS };
}

/** Shows the recorded step at or before `step`, and stays there. */
export function seek(player, step) {
  return hold(player, player.steps[indexOf(player.steps, step)] ?? null);
}

/** Moves by so many recorded steps; a step beyond the newest of a live run follows it. */
export function move(player, by) {
  const index = indexOf(player.steps, player.at ?? 0) + by;
  if (index >= player.steps.length) return newest(player);
  return hold(player, player.steps[Math.max(0, index)] ?? null);
}

/** The first recorded step. */
export function first(player) {
  return hold(player, player.steps[0] ?? null);
}

/** The newest step; of a live run, and whatever comes after it. */
export function newest(player) {
  if (!player.live) return hold(player, last(player.steps));
  return { ...player, mode: "follow", at: last(player.steps) };
}

/** Stops what moves, or moves on what stands. */
export function toggle(player) {
  if (player.mode !== "hold") return hold(player, player.at);
  const index = indexOf(player.steps, player.at ?? 0);
  if (index < player.steps.length - 1) return replay(player, index);
  return player.live ? newest(player) : replay(player, 0);
}

/**
 * Moves a replay on by `seconds`, no further than a frame that is `ready`.
 * @param {(step: number) => boolean} ready whether a step's frame can be shown now
 * @param {number} speed how many times as fast as it would play else
 */
export function advance(player, seconds, ready = () => true, speed = 1) {
  if (player.mode !== "replay" || !player.steps.length) return player;
  const end = player.steps.length - 1;
  if (player.position >= end && player.at === player.steps[end]) {
    return finishReplay(player, seconds);
  }
  const position = Math.min(end, player.position + beat(seconds * speed * rate(player)));
  const at = player.steps[Math.floor(position)];
  return ready(at) ? { ...player, position, at } : player;
}

// About a frame for each paint becomes one: else some would be left out and others stand twice.
const beat = (frames) => (Math.abs(frames - 1) < 0.3 ? 1 : frames);

/** The steps that a replay comes to next, from the present one on. */
export function ahead(player, count) {
  const index = Math.floor(player.position);
  return player.steps.slice(index, index + count);
}

/** The index of the last of `steps` that is at or before `step`; the first where there is none. */
export function indexOf(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function finishReplay(player, seconds) {
  if (player.live) return newest(player);
  const rest = player.rest + seconds;
  const enough = player.round ? 1 / ROUND_RATE : REST_SECONDS;
  return rest < enough ? { ...player, rest } : replay(player, 0);
}

function hold(player, at) {
  return { ...player, mode: "hold", at };
}

function replay(player, index) {
  return { ...player, mode: "replay", position: index, at: player.steps[index] ?? null, rest: 0 };
}

function insert(steps, step) {
  if (!steps.length || step > last(steps)) return [...steps, step];
  const index = indexOf(steps, step);
  if (steps[index] === step) return steps;
  return step < steps[0] ? [step, ...steps] : steps.toSpliced(index + 1, 0, step);
}

function last(steps) {
  return steps.length ? steps[steps.length - 1] : null;
}
