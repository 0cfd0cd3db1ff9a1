// Frames of a run that have come over its stream and have yet to be shown.

import { decodeFrame, withInput } from "../protocol/frame.js";

export class Incoming {
  constructor() {
    this.frames = []; // in the order they came
    this.newest = null; // the last of those that were taken
    this.heard = null; // when the last one came, in milliseconds since 1970
    this.owed = 0; // how many were taken without a further one being asked for
    this.input = null; // of the last one; those after it leave out one that is the same
  }

  /** Hears a frame's bytes; `recording` keeps it. */
  hear(bytes, recording) {
    const frame = recording.keep(withInput(decodeFrame(bytes), this.input));
    this.input = frame.tensors.input;
    this.heard = Date.now();
    this.frames.push(frame);
  }

  /** Takes the first of the frames, or all; answers with those. */
  take({ all }) {
    const taken = this.frames.splice(0, all ? this.frames.length : 1);
    this.newest = taken.at(-1) ?? this.newest;
    this.owed += taken.length;
    return taken;
  }

  /** Asks for a further frame for each that was taken. */
  repay(stream) {
    for (; this.owed > 0; this.owed--) stream?.credit();
  }

  /** Begins with another connection: its first frame is whole, and nothing is owed to it. */
  reconnect() {
    this.input = null;
    this.owed = 0;
  }
}
