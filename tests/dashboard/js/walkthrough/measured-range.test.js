import assert from "node:assert/strict";
import { test } from "node:test";

import { MeasuredRange } from "../../../../dashboard/assets/walkthrough/measured-range.js";

const VALUES = [0, 1, 2, 3];
// More would be requested without end.
const MAX_REQUESTS = 50;

/** A session whose newest request supersedes the one before, as NetworkSession's. */
class Session {
  constructor() {
    this.sent = 0;
    /** @type {((value: number | null) => void) | null} */
    this.waiting = null;
  }

  /**
   * @param {number} value
   * @returns {Promise<number | null>}
   */
  request(value) {
    this.waiting?.(null);
    this.sent += 1;
    if (this.sent > MAX_REQUESTS) throw new Error("requests supersede one another without end");
    return new Promise((resolve) => {
      this.waiting = resolve;
      setTimeout(() => resolve(value));
    });
  }
}

test("a range that is stopped and started at once measures every value once", async () => {
  const session = new Session();
  const range = new MeasuredRange(VALUES, (value) => session.request(value), () => {});
  const stopped = range.start();
  range.stop();
  await Promise.all([stopped, range.start()]);
  assert.deepEqual([...range.measured], VALUES.map((value) => [value, value]));
  assert.equal(session.sent, VALUES.length + 1, "that of the stopped one, and one for each value");
});

test("a stopped range measures nothing more, and goes on when it is started", async () => {
  const session = new Session();
  const range = new MeasuredRange(VALUES, (value) => session.request(value), () => range.stop());
  await range.start();
  assert.deepEqual([...range.measured.keys()], [0]);
  await range.start();
  assert.deepEqual([...range.measured.keys()], [0, 1]);
});
