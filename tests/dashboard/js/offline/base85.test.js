import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeBase85 } from "../../../../dashboard/assets/offline/base85.js";

// Written by Python: b85encode(data).translate(bytes.maketrans(b"<", b",")).
const TEXTS = {
  "": [],
  "00": [0],
  "|NsC0|Ns9": Array(7).fill(255),
  "02wk%WPO&e$l(": [0, 25, 50, 75, 100, 125, 150, 175, 200, 225],
};

test("bytes of any number are decoded from base85", () => {
  for (const [text, bytes] of Object.entries(TEXTS)) {
    assert.deepEqual([...decodeBase85(text)], bytes);
  }
});
