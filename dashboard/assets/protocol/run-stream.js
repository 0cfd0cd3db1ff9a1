// The live end of a run, over one connection. Knows no canvas.
//
// The server sends the newest frame whenever there is a newer one and a credit for it; two are
// granted at the start, one more after each paint, so that a busy page is sent fewer frames
// instead of old ones.

import { Connection } from "./reconnecting-socket.js";

export class Stream {
  /**
   * @param {URL} url
   * @param {{run: Function, metrics: Function, frame: Function,
   *   connection: Function}} on what to call with each message, with each frame's bytes, and with
   *   true or false when the connection stands or is lost
   */
  constructor(url, on) {
    this.on = on;
    this.lastStep = null;
    this.following = true;
    this.line = new Connection(url, {
      open: () => this.#open(),
      message: (message) => this.#read(message),
      frame: on.frame,
      state: on.connection,
      wake: () => this.#tellFollowing(),
    });
  }

  /** Asks to be sent frames, or not to be. Kept across connections. */
  follow(wanted) {
    if (wanted === this.following) return;
    this.following = wanted;
    this.#tellFollowing();
  }

  /** Grants one more frame: one has been painted, or was not wanted any more. */
  credit() {
    this.line.send({ type: "credit", frames: 1 });
  }

  close() {
    this.line.close();
  }

  #open() {
    this.asked = false; // the server sends nothing until it is asked to
    this.line.send({ type: "hello", last_step: this.lastStep });
    this.#tellFollowing();
  }

  #read({ type, ...message }) {
    if (type === "run") this.on.run(message);
    else if (type === "metrics") this.on.metrics(message);
    else if (type === "error") console.warn(`stnscope: ${message.detail}`);
    // A heartbeat has done its work by having come.
    else if (type !== "heartbeat") console.warn(`stnscope: a message of type ${type}?`);
  }

  #tellFollowing() {
    const wanted = this.following && !document.hidden;
    if (!this.line.open || wanted === this.asked) return;
    this.asked = wanted;
    this.line.send({ type: wanted ? "follow" : "hold" });
  }
}
