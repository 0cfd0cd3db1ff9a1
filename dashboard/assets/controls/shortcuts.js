// The page's keyboard shortcuts.

import { element } from "../ui/dom.js";
import { goToFirst, goToLast, moveBy, togglePlay } from "../playback/player.js";

/** @import { Player } from "../playback/player.js" */
/** @import { RunStore } from "../playback/run-store.js" */

/** @type {Record<string, (player: Player) => Player>} */
const PLAYER_KEYS = {
  " ": togglePlay,
  ArrowLeft: (player) => moveBy(player, -1),
  ArrowRight: (player) => moveBy(player, 1),
  Home: goToFirst,
  End: goToLast,
};

// Elements in which keys enter text or select an option, and those that space activates.
const TYPING_ELEMENTS =
  "input:not(.stn-timeline), textarea, select, [contenteditable], [role=tab], [role=option], " +
  "[role=radio], [role=combobox]";
const PRESSED_ELEMENTS = "button, summary, a, [role=button]";

const DESCRIPTIONS = [
  ["Space", "play, or pause"],
  ["← →", "previous, next recorded step"],
  ["Home End", "first, last step"],
  ["p", "pause, or resume the training"],
  ["s", "train for one step"],
  ["1 2 3", "all probes, one probe, their summary"],
  ["[ ]", "previous, next probe"],
  ["f", "the stage alone on the full screen, for a projector"],
  ["d o m t b", "dots, outline, mesh, trail, outputs pasted back"],
];

// Those that do nothing with a token for viewing.
const ACTING_KEYS = ["p", "s"];

/** Create the panel that lists the shortcuts. */
export function createShortcutsPanel() {
  const rows = DESCRIPTIONS.flatMap(([keys, description]) => {
    const suffix = ACTING_KEYS.includes(keys) ? ".stn-acting" : "";
    return [
      element(`dt${suffix}`, {}, ...keys.split(" ").map((key) => element("kbd", {}, key))),
      element(`dd${suffix}`, {}, description),
    ];
  });
  return element(
    "details.stn-panel",
    {},
    element("summary.stn-summary", {}, "Keyboard shortcuts"),
    element("dl.stn-shortcuts", {}, ...rows),
  );
}

/**
 * Handle a key: space, arrows, home and end act on the player, `otherKeys` have their own
 * functions; unless the focused element handles the key itself.
 * @param {RunStore} store
 * @param {Record<string, () => void>} otherKeys
 * @param {KeyboardEvent} event
 */
export function handleKey(store, otherKeys, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const change = PLAYER_KEYS[event.key];
  const handler = change ? () => store.updatePlayer(change) : otherKeys[event.key];
  if (!handler) return;
  const target = event.composedPath()[0];
  if (target instanceof Element) {
    if (target.closest(TYPING_ELEMENTS)) return;
    if (event.key === " " && target.closest(PRESSED_ELEMENTS)) return;
  }
  event.preventDefault();
  handler();
}
