import assert from "node:assert/strict";
import { test } from "node:test";

import { tabOf, tabQuery } from "../../../../dashboard/assets/page/tabs.js";

/** @param {string} text */
const query = (text) => new URLSearchParams(text);

test("tabOf returns the tab that an address names, and else the stage", () => {
  assert.equal(tabOf(query("tab=picture&run=x")), "picture");
  assert.equal(tabOf(query("tab=cellar")), "watch");
  assert.equal(tabOf(query("run=x")), "watch");
});

test("tabQuery keeps nothing of the tab that is left but how the page is embedded", () => {
  const current = query(
    "run=x&step=3&embed=true&embed_options=dark_theme&embed_options=show_padding",
  );
  assert.equal(
    String(tabQuery("picture", { weights: "digits", picture: null }, current)),
    "embed=true&embed_options=dark_theme&embed_options=show_padding&tab=picture&weights=digits",
  );
  assert.equal(String(tabQuery("watch", {}, query("tab=picture"))), "");
});
