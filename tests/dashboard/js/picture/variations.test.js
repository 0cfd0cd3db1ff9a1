import assert from "node:assert/strict";
import { test } from "node:test";

import {
  readVariation,
  variationQuery,
  withoutNeutral,
} from "../../../../dashboard/assets/picture/variations.js";

test("a variation survives its address", () => {
  const variation = { rotation: -90, shift_x: 0.25, clutter: 4 };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(variationQuery(variation))) {
    if (value !== null) query.set(name, value);
  }
  assert.equal(String(query), "rotation=-90&shift_x=0.25&clutter=4");
  assert.deepEqual(readVariation(query), variation);
});

test("readVariation clamps numbers, and leaves out what is invalid or changes nothing", () => {
  const query = new URLSearchParams("rotation=999&scale=1&tilt=&bend=x&cover=NaN&darkness=0.5");
  assert.deepEqual(readVariation(query), { rotation: 180, darkness: 0.5 });
});

test("withoutNeutral keeps what changes the picture", () => {
  assert.deepEqual(withoutNeutral({ rotation: 0, scale: 1, shift_y: 0.1 }), { shift_y: 0.1 });
});
