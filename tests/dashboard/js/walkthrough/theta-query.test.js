import assert from "node:assert/strict";
import { test } from "node:test";

import {
  pixelQuery,
  readPixel,
  readTheta,
  thetaQuery,
} from "../../../../dashboard/assets/walkthrough/theta-query.js";

test("a chosen theta is read as it was written", () => {
  const chosenTheta = [0.46123, -0.29, 0.3, 0.34, 0.44, -1e-9];
  const query = new URLSearchParams(thetaQuery({ chosenTheta }));
  assert.deepEqual(readTheta(query), [0.4612, -0.29, 0.3, 0.34, 0.44, 0]);
  assert.deepEqual(thetaQuery({ chosenTheta: null }), {}, "the network's is left out");
});

test("what is not a theta is ignored", () => {
  for (
    const text of ["", "1,2", "1,0,0,0,1,", "1,0,0,0,1,x", "1,0,0,0,1,Infinity", "1,0,0,0,1,0,0"]
  ) {
    assert.equal(readTheta(new URLSearchParams({ theta: text })), null, text);
  }
});

test("a chosen output pixel is read as it was written", () => {
  assert.deepEqual(readPixel(new URLSearchParams(pixelQuery({ pixel: [3, 5] }))), [3, 5]);
  assert.deepEqual(pixelQuery({ pixel: null }), {}, "before one is chosen it is left out");
  for (const text of ["", "3", "3,x", "-1,2", "1,2,3", "12345,1"]) {
    assert.equal(readPixel(new URLSearchParams({ pixel: text })), null, text);
  }
});
