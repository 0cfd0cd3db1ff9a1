// The live stream of a run: its state, metrics and newest frames.
//
// The server sends a frame only for a credit: two are granted at the start, and one after each
// repaint, so that a busy page is sent fewer frames instead of old ones.

import { decodeFrame, withInput } from "./frame.js";
import { ReconnectingSocket } from "./reconnecting-socket.js";

/** @import { Frame, MetricColumns, Run, Tensor } from "./types.js" */

/**
 * @typedef {object} RunStreamCallbacks
 * @property {(run: Run) => void} run
 * @property {(columns: MetricColumns) => void} metrics
 * @property {(frame: Frame) => void} frame
 * @property {(isConnected: boolean) => void} connection the connection was made or lost
 */

/**
 * What the page uses of the stream, which a recording can fulfil too.
 * @typedef {Pick<RunStream, "lastStep" | "follow" | "grantCredit" | "close">} Stream
 */

export class RunStream {
  /**
   * @param {URL} url
   * @param {RunStreamCallbacks} on
   */
  constructor(url, on) {
    this.on = on;
    /** @type {number | null} */
    this.lastStep = null; // of the metrics that need not be sent again
    /** @type {Tensor | null} */
    this.input = null; // of the last frame; a following frame with the same input comes without it
    this.isFollowing = true;
    this.isFollowRequested = false; // by the last message to the server
    this.socket = new ReconnectingSocket(url, {
      open: () => this.#start(),
      message: (message) => this.#receive(message),
      frame: (bytes) => this.#receiveFrame(bytes),
      connection: on.connection,
      wake: () => this.#requestFollowing(),
    });
  }

  /**
   * Request frames, or none, from this connection and later ones.
   * @param {boolean} isFollowing
   */
  follow(isFollowing) {
    if (isFollowing === this.isFollowing) return;
    this.isFollowing = isFollowing;
    this.#requestFollowing();
  }

  /** Grant one more frame: one was drawn or dropped. */
  grantCredit() {
    this.socket.send({ type: "credit", frames: 1 });
  }

  close() {
    this.socket.close();
  }

  #start() {
    this.input = null; // the first frame of a connection comes with its input
    this.isFollowRequested = false; // on a new connection the server sends no frames at first
    this.socket.send({ type: "hello", last_step: this.lastStep });
    this.#requestFollowing();
  }

  /** @param {any} message */
  #receive({ type, ...message }) {
    if (type === "run") this.on.run(message);
    else if (type === "metrics") this.on.metrics(message);
    else if (type === "error") console.warn(`stnscope: ${message.detail}`);
    // A heartbeat only shows that the connection works.
    else if (type !== "heartbeat") console.warn(`stnscope: unknown message type ${type}`);
  }

  /** @param {ArrayBuffer} bytes */
  #receiveFrame(bytes) {
    const frame = withInput(decodeFrame(bytes), this.input);
    this.on.frame(frame);
    // By now it may be the equal input of a frame in memory, which the next one then shares uncompared.
    this.input = frame.tensors.input;
  }

  /** Request frames, or none: a hidden page requests none. */
  #requestFollowing() {
    const isFollowing = this.isFollowing && !document.hidden;
    if (!this.socket.isOpen || isFollowing === this.isFollowRequested) return;
    this.isFollowRequested = isFollowing;
    this.socket.send({ type: isFollowing ? "follow" : "hold" });
  }
}
