// Which steps a trail connects. Pure.

import { stepIndex } from "./player.js";

// An exported trail is as long: TRAIL_FRAMES of backend/experiment/export/plan.py.
const MAX_STEPS = 32;

/**
 * Return the recorded steps of the last `span` steps up to `step`, itself included: at most about 32 of
 * them. They stay the same from one step to the next, so that few frames are fetched for each.
 * @param {number[]} steps in order
 * @param {number | null} step
 * @param {number | null} span in steps; null for all before
 */
export function trailSteps(steps, step, span = null) {
  if (step === null || !steps.length) return [];
  const last = stepIndex(steps, step);
  const from = span === null ? 0 : step - span;
  let first = stepIndex(steps, from);
  if (steps[first] < from) first++;
  let stride = 1;
  while ((last - first) / stride > MAX_STEPS) stride *= 2;
  const chosen = [];
  for (let index = Math.ceil(first / stride) * stride; index < last; index += stride) {
    chosen.push(steps[index]);
  }
  return [...chosen, steps[last]];
}
