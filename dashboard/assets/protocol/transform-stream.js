// A picture shown to a network again and again, over one connection. Knows no canvas.
//
// Everything is asked at once; the server answers the newest of what has come while it was busy.

import { Connection } from "./reconnecting-socket.js";

/** What is asked, numbered, and what of it still awaits an answer. Pure. */
// Exported for tests.
export class Asked {
  constructor() {
    this.number = 0;
    this.open = null; // the newest message, until it is answered
  }

  /** The message that asks for this. */
  next(wanted) {
    this.number += 1;
    this.open = { type: "transform", request: this.number, ...wanted };
    return this.open;
  }

  /** Takes an answer's number; whether it is that of the newest. */
  settle(request) {
    const newest = request === this.number;
    if (newest) this.open = null;
    return newest;
  }
}

export class Trying {
  /**
   * @param {URL} url
   * @param {{frame: Function, error: Function, connection: Function}} on what to call with each
   *   frame's bytes, with each refusal's words and number, and with true or false when the
   *   connection stands or is lost
   */
  constructor(url, on) {
    this.asked = new Asked();
    this.line = new Connection(url, {
      open: () => this.#open(),
      message: ({ type, detail, request }) => type === "error" && on.error(detail, request),
      frame: on.frame,
      state: on.connection,
    });
  }

  /**
   * Asks for a frame.
   * @param {{picture: string, weights: string, theta: object, corners: object}} wanted
   * @returns {number} which the answer repeats
   */
  ask(wanted) {
    this.line.send(this.asked.next(wanted));
    return this.asked.number;
  }

  /** Takes an answer's number; whether nothing newer is awaited. */
  settle(request) {
    return this.asked.settle(request);
  }

  close() {
    this.line.close();
  }

  // What a lost connection has left unanswered is asked once more.
  #open() {
    this.line.send({ type: "hello" });
    if (this.asked.open) this.line.send(this.asked.open);
  }
}
