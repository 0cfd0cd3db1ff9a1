import assert from "node:assert/strict";
import { test } from "node:test";

import {
  figureNotes,
  figureText,
  millions,
  recorded,
  rowsByNetwork,
  shortNotes,
  timeText,
} from "../../../../dashboard/assets/results/result-text.js";

test("figureText has two digits, and the spread where there are several seeds", () => {
  assert.equal(figureText(0.4, null), "0.40");
  assert.equal(figureText(99.747899, 0.041), "99.75 ±\u00a00.04");
});

test("millions has fewer digits for large numbers, and nothing for none", () => {
  assert.equal(millions(1_459_215), "1.46 M");
  assert.equal(millions(3_149_467_500), "3\u202f149 M");
  assert.equal(millions(null), "");
});

test("what is not recorded is marked as such", () => {
  assert.equal(timeText(null), "not recorded");
  assert.equal(recorded(null), "not recorded");
  assert.equal(recorded(0), "0");
  assert.equal(recorded("a machine"), "a machine");
});

test("timeText has minutes, and hours where there are some", () => {
  assert.deepEqual([44.6, 60, 3599, 4800].map(timeText), [
    "45 s",
    "1 min",
    "1 h 0 min",
    "1 h 20 min",
  ]);
});

test("notes name seeds, the home and what was cut short, in a narrow cell in short", () => {
  const cut = ["cut short after 12 of 40 epochs"];
  const figure = { seeds: 3, origin: /** @type {const} */ ("home"), notes: cut, complete: false };
  assert.equal(figureNotes(figure), "3 seeds, home, cut short after 12 of 40 epochs");
  assert.equal(shortNotes(figure), "3 seeds, home, cut short");
  assert.equal(
    shortNotes({ ...figure, notes: ["by another recipe"], complete: true }),
    "3 seeds, home, see below",
  );
  assert.equal(figureNotes({ seeds: 1, origin: "stnscope", notes: [] }), "");
});

test("rowsByNetwork keeps the order of networks, and finds a row by its data", () => {
  const row = (/** @type {string} */ network, /** @type {string} */ data) => ({
    network,
    data,
    published: "1",
    figures: [],
  });
  const rows = [row("FCN", "R"), row("CNN", "R"), row("FCN", "TC")];
  const networks = rowsByNetwork(rows);
  assert.deepEqual([...networks.keys()], ["FCN", "CNN"]);
  assert.equal(networks.get("FCN")?.get("TC"), rows[2]);
  assert.equal(networks.get("CNN")?.get("TC"), undefined);
});
