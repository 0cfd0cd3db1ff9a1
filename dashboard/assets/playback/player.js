// Which step is current, and how it changes. Pure: every function returns the next state.

/**
 * A player's state.
 * @typedef {object} Player
 * @property {"follow" | "paused" | "replay"} mode
 *   follow: the newest frame, whenever there is a newer one;
 *   paused: one step, which no new frame changes;
 *   replay: recorded frames one after another; at the end it follows a live run, or starts over
 * @property {number | null} step the current step
 * @property {number[]} steps the recorded steps, in order
 * @property {boolean} live whether more steps may come
 * @property {boolean} loops whether the last step is followed by the first without a pause
 * @property {boolean} reducedMotion whether to replay only on request
 * @property {number} position index in `steps` during a replay, with a fraction
 * @property {number} seconds since a replay reached its last frame
 */

// A replay of any length takes about this long, within these frame rates.
const REPLAY_SECONDS = 20;
/** Frames per second. Exported for tests. */
export const MIN_RATE = 10;
/** Frames per second. Exported for tests. */
export const MAX_RATE = 60;
const LOOP_RATE = 20;
// How long a replay shows its last frame before it starts over, and after a run has ended.
const LAST_FRAME_SECONDS = 1.5;
/** Exported for tests. */
export const ENDED_LAST_FRAME_SECONDS = 5;

/**
 * Create the player of a recording that was just opened.
 * @param {Partial<Pick<Player, "steps" | "live" | "loops" | "reducedMotion">>} options
 * @returns {Player}
 */
export function createPlayer({ steps = [], live = false, loops = false, reducedMotion = false }) {
  /** @type {Player} */
  const player = {
    mode: "follow",
    step: last(steps),
    steps,
    live,
    loops,
    reducedMotion,
    position: 0,
    seconds: 0,
  };
  if (live) return player;
  return reducedMotion ? pause(player, last(steps)) : replay(player, 0);
}

/**
 * Return the recorded frames per second in a replay. Exported for tests.
 * @param {Player} player
 */
export function replayRate(player) {
  if (player.loops) return LOOP_RATE;
  return Math.min(MAX_RATE, Math.max(MIN_RATE, player.steps.length / REPLAY_SECONDS));
}

/**
 * Add the step of a frame that was received from the stream.
 * @param {Player} player
 * @param {number} step
 * @returns {Player}
 */
export function addStep(player, step) {
  const steps = insert(player.steps, step);
  return { ...player, steps, step: player.mode === "follow" ? step : player.step };
}

/**
 * Replace the recorded steps.
 * @param {Player} player
 * @param {number[]} steps
 * @returns {Player}
 */
export function setSteps(player, steps) {
  const index = stepIndex(steps, player.step ?? 0);
  const step = player.mode === "follow" ? last(steps) : player.step;
  return { ...player, steps, step, position: player.mode === "replay" ? index : player.position };
}

/**
 * Set whether the run is live.
 * @param {Player} player
 * @param {boolean} live
 * @param {boolean} complete whether a run that is not live finished or was stopped
 * @returns {Player}
 */
export function setLive(player, live, complete = true) {
  if (live === player.live) return player;
  const next = { ...player, live };
  if (live) return player.mode === "replay" ? goToLast(next) : next;
  // An interrupted run stays at its last step, and is followed again when it is resumed.
  if (player.mode !== "follow" || !complete) return next;
  if (player.reducedMotion) return pause(next, last(next.steps));
  const position = Math.max(0, next.steps.length - 1);
  return { ...replay(next, position), seconds: LAST_FRAME_SECONDS - ENDED_LAST_FRAME_SECONDS };
}

/**
 * Pause at the recorded step at or before `step`.
 * @param {Player} player
 * @param {number} step
 */
export function seek(player, step) {
  return pause(player, player.steps[stepIndex(player.steps, step)] ?? null);
}

/**
 * Move by a number of recorded steps; beyond the newest step of a live run, follow it.
 * @param {Player} player
 * @param {number} count
 */
export function moveBy(player, count) {
  const index = stepIndex(player.steps, player.step ?? 0) + count;
  if (index >= player.steps.length) return goToLast(player);
  return pause(player, player.steps[Math.max(0, index)] ?? null);
}

/**
 * Pause at the first recorded step.
 * @param {Player} player
 */
export function goToFirst(player) {
  return pause(player, player.steps[0] ?? null);
}

/**
 * Go to the newest step; of a live run, follow it.
 * @param {Player} player
 * @returns {Player}
 */
export function goToLast(player) {
  if (!player.live) return pause(player, last(player.steps));
  return { ...player, mode: "follow", step: last(player.steps) };
}

/**
 * Pause, or play from the current step.
 * @param {Player} player
 */
export function togglePlay(player) {
  if (player.mode !== "paused") return pause(player, player.step);
  const index = stepIndex(player.steps, player.step ?? 0);
  if (index < player.steps.length - 1) return replay(player, index);
  return player.live ? goToLast(player) : replay(player, 0);
}

/**
 * Advance a replay by `seconds`, but only to a frame that is ready.
 * @param {Player} player
 * @param {number} seconds
 * @param {(step: number) => boolean} isReady whether a step's frame can be drawn now
 * @param {number} speed factor of the replay's rate
 * @returns {Player}
 */
export function advance(player, seconds, isReady = () => true, speed = 1) {
  if (player.mode !== "replay" || !player.steps.length) return player;
  const end = player.steps.length - 1;
  if (player.position >= end && player.step === player.steps[end]) {
    return advanceAtEnd(player, seconds);
  }
  const frames = roundToOne(seconds * speed * replayRate(player));
  const position = Math.min(end, player.position + frames);
  const step = player.steps[Math.floor(position)];
  return isReady(step) ? { ...player, position, step } : player;
}

/**
 * Round about one frame per paint to exactly one: otherwise some would be skipped and others drawn
 * twice.
 * @param {number} frames
 */
const roundToOne = (frames) => (Math.abs(frames - 1) < 0.3 ? 1 : frames);

/**
 * Return the next steps of a replay, from the current one on.
 * @param {Player} player
 * @param {number} count
 */
export function upcomingSteps(player, count) {
  const index = Math.floor(player.position);
  return player.steps.slice(index, index + count);
}

/**
 * Return the index of the last of `steps` at or before `step`; 0 if there is none.
 * @param {number[]} steps in order
 * @param {number} step
 */
export function stepIndex(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] <= step) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/**
 * @param {Player} player
 * @param {number} elapsed seconds
 */
function advanceAtEnd(player, elapsed) {
  if (player.live) return goToLast(player);
  const seconds = player.seconds + elapsed;
  const wait = player.loops ? 1 / LOOP_RATE : LAST_FRAME_SECONDS;
  return seconds < wait ? { ...player, seconds } : replay(player, 0);
}

/**
 * @param {Player} player
 * @param {number | null} step
 * @returns {Player}
 */
function pause(player, step) {
  return { ...player, mode: "paused", step };
}

/**
 * @param {Player} player
 * @param {number} index
 * @returns {Player}
 */
function replay(player, index) {
  const step = player.steps[index] ?? null;
  return { ...player, mode: "replay", position: index, step, seconds: 0 };
}

/**
 * @param {number[]} steps in order
 * @param {number} step
 */
function insert(steps, step) {
  if (!steps.length || step > steps[steps.length - 1]) return [...steps, step];
  const index = stepIndex(steps, step);
  if (steps[index] === step) return steps;
  return step < steps[0] ? [step, ...steps] : steps.toSpliced(index + 1, 0, step);
}

/** @param {number[]} steps */
const last = (steps) => steps.at(-1) ?? null;
