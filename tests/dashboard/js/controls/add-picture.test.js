import assert from "node:assert/strict";
import { test } from "node:test";

import { whyNot } from "../../../../dashboard/assets/controls/add-picture.js";
import { setCatalog } from "../../../../dashboard/assets/protocol/catalog.js";

setCatalog({ limits: { probes: 64 } });
const run = { status: "running", owned: true, imported: false, probes: 12 };

test("a picture can join a run that is trained here", () => {
  assert.equal(whyNot({ run }), null);
  assert.equal(whyNot({ run: { ...run, status: "paused", probes: 63 } }), null);
});

test("where none can, it is said why", () => {
  const cases = [
    [{}, /something to show/],
    [{ run, waiting: true }, /something to show/],
    [{ run, lost: true }, /connection is lost/],
    [{ run: { ...run, status: "finished", owned: false } }, /this one is finished/],
    [{ run: { ...run, status: "queued" } }, /this one is queued/],
    [{ run: { ...run, owned: false } }, /another process/],
    [{ run: { ...run, probes: 64 } }, /64 probes/],
    [{ run: { ...run, status: "stopped", imported: true } }, /came from a file/],
  ];
  for (const [watch, said] of cases) assert.match(whyNot(watch), said);
});
