import assert from "node:assert/strict";
import { test } from "node:test";

import { pastedPicture } from "../../../../dashboard/assets/picture/paste.js";

/** @type {any} */
const text = { kind: "string", type: "text/plain" };
/** @type {any} */
const document = { kind: "file", type: "application/pdf", getAsFile: () => "document" };
/** @type {any} */
const picture = { kind: "file", type: "image/png", getAsFile: () => "picture" };
/** @type {any} */
const other = { kind: "file", type: "image/jpeg", getAsFile: () => "other" };

/** @param {any[]} items @returns {any} */
const clipboard = (items) => ({ items });

test("pastedPicture returns the first picture", () => {
  assert.equal(pastedPicture(clipboard([text, document, picture, other]), false), "picture");
});

test("pastedPicture ignores text and other files", () => {
  assert.equal(pastedPicture(clipboard([text, document]), false), null);
  assert.equal(pastedPicture(clipboard([]), false), null);
  assert.equal(pastedPicture(null, false), null);
});

test("pastedPicture leaves text to a field", () => {
  assert.equal(pastedPicture(clipboard([text, picture]), true), null);
  assert.equal(pastedPicture(clipboard([picture]), true), "picture");
});
