// The page's tabs: one is shown at a time, each is a link of its own, and what is left stays as it is.
//
// The root element's `data-tab` names the shown one; the page's style sheet hides the others.

import { TAB_PARAMETER } from "../ui/tab-link.js";
import { addressOf, addressQuery, pushAddress, pushQuery, replaceQuery } from "./url.js";

/** @import { Tab } from "../ui/tab-link.js" */

/** @type {Tab[]} */
const TABS = ["watch", "picture", "how", "new", "results", "sweeps"];
// What every tab's address keeps.
const SHARED_PARAMETERS = ["embed", "embed_options"];

/**
 * Return the tab that an address names; the stage's if it names none. Exported for tests.
 * @param {URLSearchParams} query
 * @returns {Tab}
 */
export const tabOf = (query) => TABS.find((tab) => tab === query.get(TAB_PARAMETER)) ?? "watch";

/**
 * Return the query of a tab's address. Exported for tests.
 * @param {Tab} tab
 * @param {Record<string, string | null>} fields the tab's own; null for those that are left out
 * @param {URLSearchParams} current of the current address
 */
export function tabQuery(tab, fields, current) {
  const query = new URLSearchParams();
  for (const name of SHARED_PARAMETERS) {
    for (const value of current.getAll(name)) query.append(name, value);
  }
  if (tab !== "watch") query.set(TAB_PARAMETER, tab);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) query.set(name, value);
  }
  return query;
}

/**
 * Dispatches `change` when another tab is shown, and `restore` after the user went back or forward, with
 * `isReturning`: whether from another tab.
 */
export class Tabs extends EventTarget {
  constructor() {
    super();
    /** @type {Tab} */
    this.current = tabOf(addressQuery());
    /** @type {Map<Tab, string>} */
    this.addresses = new Map(); // of tabs that were left
    addEventListener("popstate", () => this.#restore());
    document.addEventListener("click", (event) => this.#handleClick(event));
    this.apply();
  }

  /**
   * Show a tab as it was left, as a new entry of the browser's history.
   * @param {Tab} tab
   */
  go(tab) {
    if (tab === this.current) return;
    const query = addressQuery();
    this.addresses.set(this.current, addressOf(query));
    pushAddress(this.addresses.get(tab) ?? addressOf(tabQuery(tab, {}, query)));
    this.#show(tab);
    scrollToTop();
  }

  /**
   * Write a tab's state into the address, if the tab is shown, in place of the history's entry.
   * @param {Tab} tab
   * @param {Record<string, string | null>} fields its own parameters; null for those that are left out
   */
  replaceAddress(tab, fields) {
    if (tab === this.current) replaceQuery(fields);
    else this.addresses.set(tab, addressOf(tabQuery(tab, fields, addressQuery())));
  }

  /**
   * Write the shown tab's state into the address, as a new entry of the browser's history.
   * @param {Record<string, string | null>} fields its own parameters; null for those that are left out
   */
  pushAddress(fields) {
    pushQuery(fields);
  }

  /** Mark the shown tab: on the root element, and in the navigation, which Streamlit may draw again. */
  apply() {
    document.documentElement.dataset.tab = this.current;
    for (const link of document.querySelectorAll("a[data-tab]")) {
      const isCurrent = link instanceof HTMLElement && link.dataset.tab === this.current;
      if (isCurrent) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #restore() {
    const tab = tabOf(addressQuery());
    const isReturning = tab !== this.current;
    this.#show(tab);
    this.dispatchEvent(new CustomEvent("restore", { detail: { isReturning } }));
  }

  /** @param {Tab} tab */
  #show(tab) {
    if (tab === this.current) return;
    this.current = tab;
    this.apply();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Follow a link to a tab without loading the page again.
   * @param {MouseEvent} event
   */
  #handleClick(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const target = event.composedPath()[0];
    const link = target instanceof Element ? target.closest("a[data-tab]") : null;
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    this.go(/** @type {Tab} */ (link.dataset.tab));
  }
}

/** Scroll to the top of a tab that is shown. */
function scrollToTop() {
  document.querySelector(".stMain")?.scrollTo(0, 0);
}
