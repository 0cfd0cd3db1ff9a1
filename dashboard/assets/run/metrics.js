// A run's metrics as columns over steps. Pure.

// Runs may train for days: beyond this many rows, older ones are thinned.
const MOST_ROWS = 8000;
const FEWER_ROWS = 5000;
const WHOLE_ROWS = 1000; // the newest, which are not

export class Series {
  constructor() {
    this.rows = new Map(); // step -> {name: value}
    this.steps = []; // in order
    this.stride = 1; // between older rows
  }

  /** The last step there is a row for; null where there is none. */
  get last() {
    return this.steps.at(-1) ?? null;
  }

  /**
   * Adds rows, or replaces those of steps that were run again.
   * @param {Object<string, (number | null)[]>} columns `step` and others of equal length
   */
  append(columns) {
    const names = Object.keys(columns).filter((name) => name !== "step");
    let sorted = true;
    columns.step.forEach((step, index) => {
      if (!this.rows.has(step)) {
        sorted &&= this.last === null || step > this.last;
        this.steps.push(step);
      }
      this.rows.set(step, Object.fromEntries(names.map((name) => [name, columns[name][index]])));
    });
    if (!sorted) this.steps.sort((one, other) => one - other);
    if (this.steps.length > MOST_ROWS) this.#thin();
  }

  // Keeps older rows at a stride that doubles as the run grows longer.
  #thin() {
    this.#keepEvery(this.stride);
    while (this.steps.length > FEWER_ROWS) {
      this.stride *= 2;
      this.#keepEvery(this.stride);
    }
  }

  // A value that is measured now and then goes over from a row that is dropped to the next kept.
  #keepEvery(stride) {
    const whole = this.steps[this.steps.length - WHOLE_ROWS];
    let carried = {};
    this.steps = this.steps.filter((step) => {
      const row = this.rows.get(step);
      const kept = step >= whole || step % stride === 0;
      carried = kept ? fill(row, carried) : { ...carried, ...measured(row) };
      if (!kept) this.rows.delete(step);
      return kept;
    });
  }

  /** The value of `name` at `step`, or the nearest one before it; null where there is none. */
  at(name, step) {
    for (let index = this.#after(step) - 1; index >= 0; index--) {
      const value = this.rows.get(this.steps[index])[name];
      if (Number.isFinite(value)) return value;
    }
    return null;
  }

  /**
   * At most about `limit` points of one column between two steps, and one beyond at either end.
   * Of each bucket its least and its greatest are kept, so that no peak is lost.
   * @returns {{x: number[], y: number[]}}
   */
  points(name, { from = -Infinity, to = Infinity, limit = 600 } = {}) {
    const low = Math.max(0, this.#after(from) - 1);
    const all = this.steps
      .slice(low, this.#after(to) + 1)
      .map((step) => [step, this.rows.get(step)[name]])
      .filter(([, value]) => Number.isFinite(value));
    const kept = all.length > limit ? extremes(all, Math.floor(limit / 2)) : all;
    return { x: kept.map(([step]) => step), y: kept.map(([, value]) => value) };
  }

  // The index of the first row after `step`.
  #after(step) {
    let low = 0;
    let high = this.steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.steps[middle] <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** An exponential moving average that gives a value half its weight after `half` more. */
export function smooth(values, half) {
  const keep = 0.5 ** (1 / half);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = sum * keep + value;
    weight = weight * keep + 1;
    return sum / weight;
  });
}

const measured = (row) =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => Number.isFinite(value)));

// Gives a row the values it lacks; nothing is left to carry on.
function fill(row, values) {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(row[name])) row[name] = value;
  }
  return {};
}

function extremes(points, buckets) {
  const kept = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * points.length) / buckets);
    const to = Math.floor(((bucket + 1) * points.length) / buckets);
    const inside = points.slice(from, to);
    const least = inside.reduce((best, point) => (point[1] < best[1] ? point : best));
    const most = inside.reduce((best, point) => (point[1] > best[1] ? point : best));
    if (least === most) kept.push(least);
    else kept.push(...(least[0] < most[0] ? [least, most] : [most, least]));
  }
  return kept;
}
