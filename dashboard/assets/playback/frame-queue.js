// Frames received from a run's stream that have not been drawn yet.

/** @import { Stream } from "../protocol/run-stream.js" */
/** @import { Frame } from "../protocol/types.js" */

export class FrameQueue {
  constructor() {
    /** @type {Frame[]} */
    this.frames = []; // in the order in which they were received
    /** @type {Frame | null} */
    this.newest = null; // of the frames that were taken
    /** @type {number | null} */
    this.lastReceived = null; // when a frame was last received, in milliseconds since 1970
    this.credits = 0; // to grant: frames that were taken
  }

  /** @param {Frame} frame that was received */
  add(frame) {
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

  /** Grant none for earlier frames: a new connection starts with its own credits. */
  dropCredits() {
    this.credits = 0;
  }
}
