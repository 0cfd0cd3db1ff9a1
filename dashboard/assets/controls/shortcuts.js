// The keys of the page, and when they are meant for something else.

import { element } from "../ui/dom.js";
import * as play from "../run/player.js";

const PLAYS = {
  " ": [play.toggle],
  ArrowLeft: [play.move, -1],
  ArrowRight: [play.move, 1],
  Home: [play.first],
  End: [play.newest],
};

// Where keys are typed or choose, and where space presses.
const TYPED =
  "input:not(.stn-timeline), textarea, select, [contenteditable], [role=tab], [role=option], " +
  "[role=radio], [role=combobox]";
const PRESSED = "button, summary, a, [role=button]";

const KEYS = [
  ["Space", "hold, or play"],
  ["← →", "one recorded step back, or on"],
  ["Home End", "the first step, the newest"],
  ["p", "pause the training, or go on"],
  ["s", "train one step"],
  ["1 2 3", "all probes, one of them, the summary"],
  ["[ ]", "the probe before, the next"],
  ["d o m t b", "dots, outline, mesh, trail, pasted back"],
];

/** What each key does, for those who look for it. */
export function keysPanel() {
  const rows = KEYS.flatMap(([keys, does]) => [
    element("dt", {}, ...keys.split(" ").map((key) => element("kbd", {}, key))),
    element("dd", {}, does),
  ]);
  return element(
    "details.stn-panel",
    {},
    element("summary.stn-summary", {}, "Keys"),
    element("dl.stn-keys", {}, ...rows),
  );
}

/**
 * Space, arrows, home and end act on what is looked at, letters on the run and the view, unless they
 * are meant for something else.
 * @param {Object<string, () => void>} others what other keys do
 */
export function onKey(watch, others, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const moves = PLAYS[event.key];
  const act = moves ? () => watch.act(...moves) : others[event.key];
  if (!act) return;
  const target = event.composedPath()[0];
  if (target.closest?.(TYPED) || (event.key === " " && target.closest?.(PRESSED))) return;
  event.preventDefault();
  act();
}
