// The marks along a timeline, in fractions of its length. Pure.

const MAX_EPOCH_MARKS = 60;
const MIN_COLLAPSED_SHARE = 0.5;

/** @typedef {{fraction: number, epoch: number}} EpochMark the end of an epoch */
/** @typedef {{from: number, to: number}} CollapseMark both fractions of the length */

/**
 * Return where epochs end between two steps; of many epochs only every 2nd, 5th, 10th and so on.
 * @param {[number, number]} range first and last step
 * @param {number | null | undefined} stepsPerEpoch
 */
export function epochMarks([first, last], stepsPerEpoch) {
  /** @type {EpochMark[]} */
  const marks = [];
  if (!stepsPerEpoch || last <= first) return marks;
  let every = 1;
  for (const factor of repeat([2, 2.5, 2])) {
    if ((last - first) / (stepsPerEpoch * every) <= MAX_EPOCH_MARKS) break;
    every *= factor;
  }
  const stride = stepsPerEpoch * every;
  for (let step = Math.ceil((first + 1) / stride) * stride; step < last; step += stride) {
    marks.push({ fraction: (step - first) / (last - first), epoch: step / stepsPerEpoch });
  }
  return marks;
}

/** @param {number[]} values */
function* repeat(values) {
  for (;;) yield* values;
}

/**
 * Return the intervals in which at least half of the probes had collapsed regions.
 * @param {[number, number]} range first and last step
 * @param {{x: number[], y: number[]}} points steps, and the share of collapsed probes at each
 */
export function collapseMarks([first, last], { x, y }) {
  /** @type {CollapseMark[]} */
  const marks = [];
  if (last <= first) return marks;
  /** @param {number} step */
  const fraction = (step) => Math.min(1, Math.max(0, (step - first) / (last - first)));
  /** @type {number | null} */
  let start = null;
  x.forEach((step, index) => {
    const isCollapsed = y[index] >= MIN_COLLAPSED_SHARE;
    if (isCollapsed && start === null) start = step;
    if (start !== null && !isCollapsed) {
      marks.push({ from: fraction(start), to: fraction(step) });
      start = null;
    }
  });
  if (start !== null) marks.push({ from: fraction(start), to: fraction(x[x.length - 1]) });
  return marks;
}
