import assert from "node:assert/strict";
import { test } from "node:test";

import { disabledReason } from "../../../../dashboard/assets/controls/add-picture.js";
import { setCatalog } from "../../../../dashboard/assets/protocol/catalog.js";

setCatalog(/** @type {any} */ ({ limits: { probes: 64 } }));
const can = ["pause", "stop", "change", "add_picture"];
/** @type {any} */
const run = { status: "running", live: true, owned: true, imported: false, probes: 12, can };

test("disabledReason is null for a run that allows pictures", () => {
  assert.equal(disabledReason({ run }), null);
  assert.equal(disabledReason({ run: { ...run, status: "paused", probes: 63 } }), null);
});

test("disabledReason says why no picture can be added", () => {
  const ended = { ...run, live: false, can: ["delete"] };
  /** @type {[any, RegExp][]} */
  const cases = [
    [{}, /recorded a frame/],
    [{ run, isPlayingSample: true }, /recorded a frame/],
    [{ run, disconnected: true }, /connection is lost/],
    [{ run: { ...ended, status: "finished", owned: false } }, /this one is finished/],
    [{ run: { ...run, status: "queued", can: ["stop"] } }, /this one is queued/],
    [{ run: { ...run, owned: false, can: [] } }, /Another process/],
    [{ run: { ...run, probes: 64, can: ["pause", "stop", "change"] } }, /64 probes/],
    [{ run: { ...ended, status: "stopped", imported: true } }, /was imported/],
  ];
  for (const [store, reason] of cases) assert.match(String(disabledReason(store)), reason);
});
