// Frames received from a run's stream that have not been drawn yet.

import { decodeFrame, withInput } from "../protocol/frame.js";

/** @import { Frame, Tensor } from "../protocol/types.js" */
/** @import { FrameCache } from "./frame-cache.js" */
/** @import { Stream } from "../protocol/api.js" */

export class FrameQueue {
  constructor() {
    /** @type {Frame[]} */
    this.frames = []; // in the order in which they were received
    /** @type {Frame | null} */
    this.newest = null; // of the frames that were taken
    /** @type {number | null} */
    this.lastReceived = null; // when a frame was last received, in milliseconds since 1970
    this.credits = 0; // to grant: frames that were taken
    /** @type {Tensor | null} */
    this.input = null; // of the last frame; a following frame with the same input comes without it
  }

  /**
   * Decode a frame, and add it to the queue and to the cache.
   * @param {ArrayBuffer} bytes
   * @param {FrameCache} cache
   */
  receive(bytes, cache) {
    const frame = cache.add(withInput(decodeFrame(bytes), this.input));
    this.input = frame.tensors.input;
    this.lastReceived = Date.now();
    this.frames.push(frame);
  }

  /**
   * Take the first frame, or all, out of the queue.
   * @param {{all: boolean}} options
   */
  take({ all }) {
    const taken = this.frames.splice(0, all ? this.frames.length : 1);
    this.newest = taken.at(-1) ?? this.newest;
    this.credits += taken.length;
    return taken;
  }

  /**
   * Grant the stream one more frame for each that was taken.
   * @param {Stream | null} stream
   */
  grantCredits(stream) {
    for (; this.credits > 0; this.credits--) stream?.grantCredit();
  }

  /** Start with a new connection: its first frame comes with its input. */
  reconnect() {
    this.input = null;
    this.credits = 0;
  }
}
