import assert from "node:assert/strict";
import { test } from "node:test";

import { pastedPicture } from "../../../../dashboard/assets/picture/paste.js";

const text = { kind: "string", type: "text/plain" };
const document = { kind: "file", type: "application/pdf", getAsFile: () => "document" };
const picture = { kind: "file", type: "image/png", getAsFile: () => "picture" };
const other = { kind: "file", type: "image/jpeg", getAsFile: () => "other" };

test("pastedPicture returns the first picture", () => {
  assert.equal(pastedPicture({ items: [text, document, picture, other] }, false), "picture");
});

test("pastedPicture ignores text and other files", () => {
  assert.equal(pastedPicture({ items: [text, document] }, false), null);
  assert.equal(pastedPicture({ items: [] }, false), null);
  assert.equal(pastedPicture(null, false), null);
});

test("pastedPicture leaves text to a field", () => {
  assert.equal(pastedPicture({ items: [text, picture] }, true), null);
  assert.equal(pastedPicture({ items: [picture] }, true), "picture");
});
