// Links to the rooms of the page; page/rooms.js follows them.

import { element } from "./dom.js";

/** @typedef {"watch" | "picture" | "how" | "new" | "sweeps" | "results"} Room */

/** In the address, the name of the room that is shown; the stage's has none. */
export const ROOM_PARAMETER = "room";

/**
 * Create a link to a room.
 * @param {Room} room
 * @param {string} title
 */
export const roomLink = (room, title) =>
  element(
    "a",
    { href: room === "watch" ? "." : `?${ROOM_PARAMETER}=${room}`, data: { room } },
    title,
  );
