import assert from "node:assert/strict";
import { test } from "node:test";

import { roomOf, roomQuery } from "../../../../dashboard/assets/page/rooms.js";

/** @param {string} text */
const query = (text) => new URLSearchParams(text);

test("roomOf returns the room that an address names, and else the stage", () => {
  assert.equal(roomOf(query("room=picture&run=x")), "picture");
  assert.equal(roomOf(query("room=cellar")), "watch");
  assert.equal(roomOf(query("run=x")), "watch");
});

test("roomQuery keeps nothing of the room that is left but how the page is embedded", () => {
  const current = query(
    "run=x&step=3&embed=true&embed_options=dark_theme&embed_options=show_padding",
  );
  assert.equal(
    String(roomQuery("picture", { weights: "digits", picture: null }, current)),
    "embed=true&embed_options=dark_theme&embed_options=show_padding&room=picture&weights=digits",
  );
  assert.equal(String(roomQuery("watch", {}, query("room=picture"))), "");
});
