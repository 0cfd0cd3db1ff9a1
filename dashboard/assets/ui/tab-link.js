// Links to the tabs of the page; page/tabs.js follows them.

import { element } from "./dom.js";

/** @typedef {"watch" | "picture" | "how" | "new" | "sweeps" | "results"} Tab */

/** In the address, the name of the tab that is shown; the stage's has none. */
export const TAB_PARAMETER = "tab";

/**
 * Create a link to a tab.
 * @param {Tab} tab
 * @param {string} title
 */
export const tabLink = (tab, title) =>
  element(
    "a",
    { href: tab === "watch" ? "." : `?${TAB_PARAMETER}=${tab}`, data: { tab } },
    title,
  );
