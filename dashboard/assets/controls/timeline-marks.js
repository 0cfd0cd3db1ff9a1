// What is marked along a timeline, as shares of its length. Pure.

const MOST_EPOCHS = 60;

/**
 * Where epochs end between two steps; of very many every second, fifth or tenth one, and so on.
 * @param {number | null} each steps in an epoch
 * @returns {{share: number, epoch: number}[]}
 */
export function epochMarks([first, last], each) {
  if (!each || last <= first) return [];
  const ends = [];
  let every = 1;
  for (const factor of cycle([2, 2.5, 2])) {
    if ((last - first) / (each * every) <= MOST_EPOCHS) break;
    every *= factor;
  }
  const stride = each * every;
  for (let step = Math.ceil((first + 1) / stride) * stride; step < last; step += stride) {
    ends.push({ share: (step - first) / (last - first), epoch: step / each });
  }
  return ends;
}

function* cycle(values) {
  for (;;) yield* values;
}

/**
 * Stretches in which at least half of the probes had collapsed regions.
 * @param {{x: number[], y: number[]}} points steps, and the share of the probes at each
 * @returns {{from: number, to: number}[]} shares of the length
 */
export function collapseMarks([first, last], { x, y }) {
  if (last <= first) return [];
  const share = (step) => Math.min(1, Math.max(0, (step - first) / (last - first)));
  const found = [];
  let open = null;
  x.forEach((step, index) => {
    const collapsed = y[index] >= 0.5;
    if (collapsed && open === null) open = step;
    if (open !== null && !collapsed) {
      found.push({ from: share(open), to: share(step) });
      open = null;
    }
  });
  if (open !== null) found.push({ from: share(open), to: share(x.at(-1)) });
  return found;
}
