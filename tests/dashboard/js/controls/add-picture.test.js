import assert from "node:assert/strict";
import { test } from "node:test";

import { disabledReason } from "../../../../dashboard/assets/controls/add-picture.js";

/** @type {any} */
const run = { deleted: false, picture_refusal: null };

test("disabledReason is null for a run that allows pictures", () => {
  assert.equal(disabledReason({ run }), null);
});

test("disabledReason returns why no picture can be added", () => {
  /** @type {[any, RegExp][]} */
  const cases = [
    [{}, /recorded a frame/],
    [{ run, isPlayingPlaceholder: true }, /recorded a frame/],
    [{ run, disconnected: true }, /connection is lost/],
    [{ run: { ...run, deleted: true } }, /has been deleted/],
    [{ run: { ...run, picture_refusal: "This run has 64 probes." } }, /64 probes/],
  ];
  for (const [store, reason] of cases) assert.match(String(disabledReason(store)), reason);
});
