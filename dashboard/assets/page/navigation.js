// Which run is shown: that of the page's address and the browser's history, or the newest one.

import { addressOf, addressQuery, pushAddress } from "./url.js";
import { defaultRun, shouldSwitch } from "../playback/run-list.js";
import { readLap, readStep, readView, viewQuery } from "../ui/view-state.js";
import { tabQuery } from "./tabs.js";

/** @import { Tabs } from "./tabs.js" */
/** @import { RunList } from "../playback/run-list.js" */
/** @import { RunStore } from "../playback/run-store.js" */
/** @import { View } from "../ui/view-state.js" */

// Browsers accept only so many changes of the address.
const ADDRESS_DELAY_MILLISECONDS = 300;

export class Navigation {
  /**
   * @param {RunStore} store in which runs are opened
   * @param {RunList} list
   * @param {Tabs} tabs
   * @param {object} on
   * @param {() => View} on.getView the current view
   * @param {(view: View) => void} on.setView called when the user goes back or forward
   * @param {() => void} on.runChanged called when another run was chosen
   */
  constructor(store, list, tabs, on) {
    this.store = store;
    this.list = list;
    this.tabs = tabs;
    this.on = on;
    /** @type {string | null | undefined} */
    this.pinned = undefined; // id of the chosen run; null for the newest
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    const query = this.#query;
    this.initialView = readView(query);
    this.start = { step: readStep(query), lap: readLap(query) }; // of the run that is opened next
    list.addEventListener("change", () => this.#openNewest());
    tabs.addEventListener("restore", (event) => {
      this.#restore(/** @type {CustomEvent} */ (event).detail.isReturning);
    });
  }

  /**
   * Show a run, or for null whichever is the newest.
   * @param {string | null} id
   */
  pin(id) {
    if (id !== this.pinned) {
      this.pinned = id;
      this.on.runChanged();
      if (id) this.#open(id);
      else this.#openNewest();
    }
    this.updateAddress();
  }

  /**
   * Show a run, as a new entry of the browser's history.
   * @param {string} id
   */
  goTo(id) {
    if (id === this.pinned) return;
    this.replaceAddress();
    pushAddress(addressOf(tabQuery("watch", { run: id }, addressQuery())));
    this.pin(id);
  }

  /** Write what is shown into the address, soon, so that a reload or a copied link shows it again. */
  updateAddress() {
    this.timer ??= setTimeout(() => this.replaceAddress(), ADDRESS_DELAY_MILLISECONDS);
  }

  /** Write what is shown into the address at once. */
  replaceAddress() {
    this.#clearTimer();
    const { id, player, isPlayingPlaceholder, isPlayingLap } = this.store;
    const isPaused = !isPlayingPlaceholder && !isPlayingLap && player.mode === "paused";
    const at = { step: isPaused ? player.step : null, lap: isPlayingLap };
    this.tabs.replaceAddress("watch", { run: id, ...viewQuery(this.on.getView(), at) });
  }

  /**
   * Show what the address names, after the user went back or forward.
   * @param {boolean} isReturning whether from another tab: then the run that is still open stays
   */
  #restore(isReturning) {
    if (this.tabs.current !== "watch") return;
    const query = addressQuery();
    if (isReturning && query.get("run") === this.store.id) return;
    this.#clearTimer();
    this.start = { step: readStep(query), lap: readLap(query) };
    this.on.setView(readView(query));
    this.pinned = undefined;
    this.pin(query.get("run"));
  }

  /** The stage's own parameters in the address: none while another tab is shown. */
  get #query() {
    return this.tabs.current === "watch" ? addressQuery() : new URLSearchParams();
  }

  #clearTimer() {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Open the newest run, unless one is pinned or the player is paused. */
  #openNewest() {
    const { store, list } = this;
    if (this.pinned || !list.runs) return;
    if (store.id && store.player.mode === "paused") return;
    const newest = defaultRun(list.runs);
    const isOpen = newest?.id === store.id;
    if (newest && !isOpen && shouldSwitch(newest, store.run)) this.#open(newest.id);
    else if (!newest && !store.runPlayback) store.openPlaceholder();
  }

  /** @param {string} id */
  #open(id) {
    const view = this.on.getView();
    // A run is not compared with itself.
    if (view.compare === id) this.on.setView({ ...view, compare: null });
    this.store.open(id, this.start);
    this.start = { step: null, lap: false };
  }
}
