// The output of networks over one variation of a picture: measured value by value, those near the target first.

/**
 * @template T what is measured at one value
 */
export class MeasuredRange {
  /**
   * @param {number[]} values all that are measured, in order
   * @param {(value: number) => Promise<T | null>} measure null if the request was superseded
   * @param {() => void} onPoint called after each value
   */
  constructor(values, measure, onPoint) {
    this.values = values;
    this.measure = measure;
    this.onPoint = onPoint;
    this.target = 0; // the value that is measured next
    this.measuring = Promise.resolve(); // settles when the last call of `start` is done
    /** @type {object | null} */
    this.run = null; // the present call of `start`, so that a stopped one never goes on
    /** @type {Map<number, T>} */
    this.measured = new Map();
  }

  /**
   * Measure all values that are not measured yet, until `stop`.
   * @returns {Promise<void>}
   * @throws {Problem} the server refuses a request, or does not respond
   */
  start() {
    if (!this.run) this.measuring = this.#measure();
    return this.measuring;
  }

  async #measure() {
    const run = this.run = {};
    try {
      while (this.run === run) {
        const value = this.#nextValue();
        if (value === undefined) return;
        const result = await this.measure(value);
        if (result === null || this.run !== run) continue;
        this.measured.set(value, result);
        this.onPoint();
      }
    } finally {
      if (this.run === run) this.run = null;
    }
  }

  stop() {
    this.run = null;
  }

  /** Return the value nearest to the target that is not measured yet. */
  #nextValue() {
    /** @param {number} value */
    const distance = (value) => Math.abs(value - this.target);
    return this.values
      .filter((value) => !this.measured.has(value))
      .sort((a, b) => distance(a) - distance(b))[0];
  }
}
