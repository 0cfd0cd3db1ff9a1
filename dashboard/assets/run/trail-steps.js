// Which steps a trail leads through. Pure.

import { indexOf } from "./player.js";

const MOST = 32;

/**
 * The recorded steps of the last `span` before `at`, it included: at most about 32 of them. They are
 * the same ones from one step to the next, so that few frames have to be fetched for each.
 * @param {number[]} steps in order
 * @param {number | null} span in steps; null is all that lies before
 */
export function trailSteps(steps, at, span = null) {
  if (at === null || !steps.length) return [];
  const last = indexOf(steps, at);
  const from = span === null ? 0 : at - span;
  let first = indexOf(steps, from);
  if (steps[first] < from) first++;
  let stride = 1;
  while ((last - first) / stride > MOST) stride *= 2;
  const chosen = [];
  for (let index = Math.ceil(first / stride) * stride; index < last; index += stride) {
    chosen.push(steps[index]);
  }
  return [...chosen, steps[last]];
}
