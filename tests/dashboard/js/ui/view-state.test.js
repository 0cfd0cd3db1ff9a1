import assert from "node:assert/strict";
import { test } from "node:test";

import {
  FIRST,
  readLap,
  readStep,
  readView,
  sayView,
  switched,
} from "../../../../dashboard/assets/ui/view-state.js";

const said = (view, at) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(sayView(view, at))) {
    if (value !== null) query.set(name, value);
  }
  return query;
};

test("what is as at first is not said", () => {
  assert.equal(String(said(FIRST)), "");
  assert.deepEqual(readView(new URLSearchParams()), FIRST);
});

test("a link says everything, and reads back the same", () => {
  let view = { ...FIRST, sight: "one", probe: 7, speed: 0.25, beside: "other", by: "epoch" };
  view = switched(switched(view, "dots"), "mesh");
  const query = said(view, { step: 420 });
  assert.equal(
    String(query),
    "step=420&sight=one&probe=7&layers=outline.mesh&speed=0.25&beside=other&by=epoch",
  );
  assert.deepEqual(readView(query), view);
  assert.equal(readStep(query), 420);
  assert.equal(readLap(query), false);
  assert.equal(readLap(said(view, { lap: true })), true);
});

test("nothing drawn at all can be said too", () => {
  const bare = switched(switched(FIRST, "dots"), "outline");
  assert.equal(said(bare).get("layers"), "");
  assert.deepEqual(readView(said(bare)), bare);
});

test("what is said wrongly is as at first", () => {
  const query = new URLSearchParams(
    "sight=all&probe=-1&step=1e3&layers=dots.nonsense&speed=9&by=day&beside=",
  );
  const { layers, ...rest } = readView(query);
  const { layers: first, ...expected } = FIRST;
  assert.deepEqual(rest, expected);
  assert.deepEqual(layers, { ...first, outline: false });
  assert.equal(readStep(query), null);
});
