import assert from "node:assert/strict";
import { test } from "node:test";

import { sendControl } from "../../../../dashboard/assets/controls/live-settings.js";

test("sendControl lets only the answer to the last request show or clear a problem", async () => {
  /** @type {(() => void)[]} */
  const accept = [];
  /** @type {any} */
  const store = {
    control: (/** @type {{ learning_rate: number }} */ { learning_rate: rate }) =>
      rate > 1
        ? Promise.reject(new Error("Learning rate must be at most 1."))
        : new Promise((resolve) => accept.push(() => resolve(undefined))),
  };
  /** @type {(Error | null)[]} */
  const shown = [];
  /** @param {Error | null} problem */
  const setProblem = (problem) => shown.push(problem);
  const slow = sendControl(store, setProblem, { learning_rate: 0.5 });
  await sendControl(store, setProblem, { learning_rate: 7 });
  accept[0]();
  await slow;
  assert.deepEqual(shown.map(String), ["Error: Learning rate must be at most 1."]);
  const next = sendControl(store, setProblem, { learning_rate: 0.1 });
  accept[1]();
  await next;
  assert.equal(shown.at(-1), null);
});
