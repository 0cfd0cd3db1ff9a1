// A run's metrics as columns over steps. Pure.

/** @import { MetricColumns } from "../protocol/types.js" */

/** @typedef {Object<string, number | null>} Row values by name */

// Runs may train for days: beyond MAX_ROWS, older rows are thinned to TARGET_ROWS.
const MAX_ROWS = 8000;
const TARGET_ROWS = 5000;
// The newest rows, which are never thinned.
const UNTHINNED_ROWS = 1000;

// Further metrics of a watched run have any names: the prefix parts them from the fixed ones.
const SCALAR_PREFIX = "scalar:";

export class Metrics {
  constructor() {
    /** @type {Map<number, Row>} */
    this.rows = new Map(); // by step
    /** @type {number[]} */
    this.steps = []; // in order
    this.stride = 1; // between older rows
    /** @type {Set<string>} */
    this.names = new Set(); // of the columns that have had a value
  }

  /** The names of further metrics, each with the name of its column. */
  get scalars() {
    const columns = [...this.names].filter((name) => name.startsWith(SCALAR_PREFIX));
    return columns.map((column) => ({ column, name: column.slice(SCALAR_PREFIX.length) }));
  }

  /** The last step that has a row; null if there is none. */
  get lastStep() {
    return this.steps.at(-1) ?? null;
  }

  /**
   * Append rows, or replace those of steps that were trained again.
   * @param {MetricColumns} columns `step`, others of equal length, and `scalars` by name
   */
  append(columns) {
    const { step: steps, scalars = {}, ...fixed } = columns;
    /** @type {[string, (number | null)[]][]} */
    const all = Object.entries(fixed);
    for (const [name, column] of Object.entries(scalars)) all.push([SCALAR_PREFIX + name, column]);
    for (const [name, column] of all) {
      if (!this.names.has(name) && column.some(isNumber)) this.names.add(name);
    }
    let sorted = true;
    steps.forEach((step, index) => {
      if (!this.rows.has(step)) {
        sorted &&= this.lastStep === null || step > this.lastStep;
        this.steps.push(step);
      }
      this.rows.set(step, Object.fromEntries(all.map(([name, column]) => [name, column[index]])));
    });
    if (!sorted) this.steps.sort((a, b) => a - b);
    if (this.steps.length > MAX_ROWS) this.#thin();
  }

  // Keep older rows at a stride that doubles as the run grows longer.
  #thin() {
    this.#keepEvery(this.stride);
    while (this.steps.length > TARGET_ROWS) {
      this.stride *= 2;
      this.#keepEvery(this.stride);
    }
  }

  /**
   * Drop older rows except every `stride`-th. Values that are measured rarely are moved from a dropped
   * row to the next kept one.
   * @param {number} stride
   */
  #keepEvery(stride) {
    const unthinned = this.steps[this.steps.length - UNTHINNED_ROWS];
    /** @type {Row} */
    let dropped = {};
    this.steps = this.steps.filter((step) => {
      const row = /** @type {Row} */ (this.rows.get(step));
      const isKept = step >= unthinned || step % stride === 0;
      if (isKept) {
        fillMissing(row, dropped);
        dropped = {};
      } else {
        dropped = { ...dropped, ...finiteValues(row) };
        this.rows.delete(step);
      }
      return isKept;
    });
  }

  /**
   * Return the value of `name` at `step`, or the nearest one before it; null if there is none.
   * @param {string} name
   * @param {number} step
   */
  valueAt(name, step) {
    for (let index = this.#indexAfter(step) - 1; index >= 0; index--) {
      const value = this.rows.get(this.steps[index])?.[name];
      if (isNumber(value)) return value;
    }
    return null;
  }

  /**
   * Return at most about `limit` points of one column between two steps, and one beyond at either end.
   * The minimum and the maximum of each bucket are kept, so that no peak is lost.
   * @param {string} name
   * @param {{from?: number, to?: number, limit?: number}} window
   * @returns {{x: number[], y: number[]}} steps and values
   */
  points(name, { from = -Infinity, to = Infinity, limit = 600 } = {}) {
    const low = Math.max(0, this.#indexAfter(from) - 1);
    /** @type {[number, number][]} */
    const all = [];
    for (const step of this.steps.slice(low, this.#indexAfter(to) + 1)) {
      const value = this.rows.get(step)?.[name];
      if (isNumber(value)) all.push([step, value]);
    }
    const kept = all.length > limit ? extremes(all, Math.floor(limit / 2)) : all;
    return { x: kept.map(([step]) => step), y: kept.map(([, value]) => value) };
  }

  /**
   * Return the index of the first row after `step`.
   * @param {number} step
   */
  #indexAfter(step) {
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

/**
 * Return an exponential moving average, which halves a value's weight after `halfLife` more values.
 * @param {number[]} values
 * @param {number} halfLife
 */
export function smooth(values, halfLife) {
  const decay = 0.5 ** (1 / halfLife);
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = sum * decay + value;
    weight = weight * decay + 1;
    return sum / weight;
  });
}

/**
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
const isNumber = (value) => Number.isFinite(value);

/** @param {Row} row */
const finiteValues = (row) =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => isNumber(value)));

/**
 * Set the values that a row lacks.
 * @param {Row} row
 * @param {Row} values
 */
function fillMissing(row, values) {
  for (const [name, value] of Object.entries(values)) {
    if (!isNumber(row[name])) row[name] = value;
  }
}

/**
 * @param {[number, number][]} points
 * @param {number} buckets
 */
function extremes(points, buckets) {
  const kept = [];
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * points.length) / buckets);
    const to = Math.floor(((bucket + 1) * points.length) / buckets);
    const inside = points.slice(from, to);
    const lowest = inside.reduce((best, point) => (point[1] < best[1] ? point : best));
    const highest = inside.reduce((best, point) => (point[1] > best[1] ? point : best));
    if (lowest === highest) kept.push(lowest);
    else kept.push(...(lowest[0] < highest[0] ? [lowest, highest] : [highest, lowest]));
  }
  return kept;
}
