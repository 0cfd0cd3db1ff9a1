// What can be played: a run's steps, its closing lap, or the recording that ships.

import { openPlayer } from "./player.js";
import { Recording } from "./recording.js";
import { Series } from "./series.js";

// Plays until a run has something to show.
export const SAMPLE = "sample";

/** A recording with what is played of it, and its metrics. */
export class Reel {
  constructor(api, id) {
    this.recording = new Recording(api, id);
    this.series = new Series();
    this.player = openPlayer({ live: true });
  }

  get isLap() {
    return this.recording.isLap;
  }

  /** The closing lap of this run, to be played round and round; null where none is recorded. */
  lap(calm) {
    const { laps } = this.recording;
    if (!laps.length) return null;
    const lap = Object.create(Reel.prototype);
    lap.recording = this.recording.lap();
    lap.series = this.series;
    lap.player = openPlayer({ steps: laps, round: true, calm });
    return lap;
  }
}
