// The page's rooms: one is shown at a time, each is a link of its own, and what is left stays as it is.
//
// The root element's `data-room` names the shown one; the page's style sheet hides the others.

import { ROOM_PARAMETER } from "../ui/room-link.js";
import { addressOf, addressQuery, pushAddress, pushQuery, replaceQuery } from "./url.js";

/** @import { Room } from "../ui/room-link.js" */

/** @type {Room[]} */
const ROOMS = ["watch", "picture", "how", "new", "results", "sweeps"];
// What every room's address keeps.
const SHARED_PARAMETERS = ["embed", "embed_options"];

/**
 * Return the room that an address names; the stage's if it names none. Exported for tests.
 * @param {URLSearchParams} query
 * @returns {Room}
 */
export const roomOf = (query) =>
  ROOMS.find((room) => room === query.get(ROOM_PARAMETER)) ?? "watch";

/**
 * Return the query of a room's address. Exported for tests.
 * @param {Room} room
 * @param {Record<string, string | null>} fields the room's own; null for those that are left out
 * @param {URLSearchParams} current of the current address
 */
export function roomQuery(room, fields, current) {
  const query = new URLSearchParams();
  for (const name of SHARED_PARAMETERS) {
    for (const value of current.getAll(name)) query.append(name, value);
  }
  if (room !== "watch") query.set(ROOM_PARAMETER, room);
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null) query.set(name, value);
  }
  return query;
}

/**
 * Dispatches `change` when another room is shown, and `restore` after the user went back or forward, with
 * `isReturning`: whether from another room.
 */
export class Rooms extends EventTarget {
  constructor() {
    super();
    /** @type {Room} */
    this.current = roomOf(addressQuery());
    /** @type {Map<Room, string>} */
    this.addresses = new Map(); // of rooms that were left
    addEventListener("popstate", () => this.#restore());
    document.addEventListener("click", (event) => this.#handleClick(event));
    this.apply();
  }

  /**
   * Show a room as it was left, as a new entry of the browser's history.
   * @param {Room} room
   */
  go(room) {
    if (room === this.current) return;
    const query = addressQuery();
    this.addresses.set(this.current, addressOf(query));
    pushAddress(this.addresses.get(room) ?? addressOf(roomQuery(room, {}, query)));
    this.#show(room);
    scrollToTop();
  }

  /**
   * Write a room's state into the address, if the room is shown, in place of the history's entry.
   * @param {Room} room
   * @param {Record<string, string | null>} fields its own parameters; null for those that are left out
   */
  replaceAddress(room, fields) {
    if (room === this.current) replaceQuery(fields);
    else this.addresses.set(room, addressOf(roomQuery(room, fields, addressQuery())));
  }

  /**
   * Write the shown room's state into the address, as a new entry of the browser's history.
   * @param {Record<string, string | null>} fields its own parameters; null for those that are left out
   */
  pushAddress(fields) {
    pushQuery(fields);
  }

  /** Mark the shown room: on the root element, and in the navigation, which Streamlit may draw again. */
  apply() {
    document.documentElement.dataset.room = this.current;
    for (const link of document.querySelectorAll("a[data-room]")) {
      const isCurrent = link instanceof HTMLElement && link.dataset.room === this.current;
      if (isCurrent) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  #restore() {
    const room = roomOf(addressQuery());
    const isReturning = room !== this.current;
    this.#show(room);
    this.dispatchEvent(new CustomEvent("restore", { detail: { isReturning } }));
  }

  /** @param {Room} room */
  #show(room) {
    if (room === this.current) return;
    this.current = room;
    this.apply();
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Follow a link to a room without loading the page again.
   * @param {MouseEvent} event
   */
  #handleClick(event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const target = event.composedPath()[0];
    const link = target instanceof Element ? target.closest("a[data-room]") : null;
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    this.go(/** @type {Room} */ (link.dataset.room));
  }
}

/** Scroll to the top of a room that is shown. */
function scrollToTop() {
  document.querySelector(".stMain")?.scrollTo(0, 0);
}
