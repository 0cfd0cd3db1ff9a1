import assert from "node:assert/strict";
import { test } from "node:test";

import {
  DEFAULT_VIEW,
  readLap,
  readStep,
  readView,
  toggleLayer,
  viewQuery,
} from "../../../../dashboard/assets/ui/view-state.js";

/** @param {any} view @param {any} [at] */
const queryOf = (view, at) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(viewQuery(view, at))) {
    if (value !== null) query.set(name, value);
  }
  return query;
};

test("viewQuery leaves out defaults", () => {
  assert.equal(String(queryOf(DEFAULT_VIEW)), "");
  assert.deepEqual(readView(new URLSearchParams()), DEFAULT_VIEW);
});

test("readView reads what viewQuery wrote", () => {
  /** @type {any} */
  let view = {
    ...DEFAULT_VIEW,
    kind: "probe",
    probe: 7,
    speed: 0.25,
    compare: "other",
    alignment: "epoch",
  };
  view = toggleLayer(toggleLayer(view, "dots"), "mesh");
  const query = queryOf(view, { step: 420 });
  assert.equal(
    String(query),
    "step=420&view=probe&probe=7&layers=outline.mesh&speed=0.25&compare=other&by=epoch",
  );
  assert.deepEqual(readView(query), view);
  assert.equal(readStep(query), 420);
  assert.equal(readLap(query), false);
  assert.equal(readLap(queryOf(view, { lap: true })), true);
});

test("viewQuery writes a view without layers", () => {
  const bare = toggleLayer(toggleLayer(DEFAULT_VIEW, "dots"), "outline");
  assert.equal(queryOf(bare).get("layers"), "");
  assert.deepEqual(readView(queryOf(bare)), bare);
});

test("readView replaces invalid values by defaults", () => {
  const query = new URLSearchParams(
    "view=all&probe=-1&step=1e3&layers=dots.nonsense&speed=9&by=day&compare=",
  );
  const { layers, ...rest } = readView(query);
  const { layers: first, ...expected } = DEFAULT_VIEW;
  assert.deepEqual(rest, expected);
  assert.deepEqual(layers, { ...first, outline: false });
  assert.equal(readStep(query), null);
});
