// What can be played: a run's steps, its closing lap, or the recording that ships.

import * as play from "./player.js";
import { Recording } from "./frame-cache.js";
import { Series } from "./metrics.js";
import { trailSteps } from "./trail-steps.js";

// Plays until a run has something to show.
export const SAMPLE = "sample";

// Milliseconds between two looks at which steps of a live run are recorded.
const LIST_AGAIN = 2000;

/** A recording with what is played of it, and its metrics. */
export class Reel {
  constructor(api, id) {
    this.recording = new Recording(api, id);
    this.series = new Series();
    this.player = play.openPlayer({ live: true });
    this.listed = 0; // when its steps were asked for
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
    lap.player = play.openPlayer({ steps: laps, round: true, calm });
    return lap;
  }

  /** Milliseconds until it is worth asking for the recorded steps again. */
  get rests() {
    return Math.max(0, this.listed + LIST_AGAIN - Date.now());
  }

  /**
   * Learns which steps are recorded; whoever plays it may have gone elsewhere meanwhile.
   * @throws {Problem} they cannot be had
   */
  async list() {
    this.listed = Date.now();
    const steps = await this.recording.list();
    this.player = play.list(this.player, steps);
  }

  /** Loads frames at or before steps that will be wanted soon. */
  prepare(steps) {
    const { recording, player } = this;
    recording.prefetch(steps.map((step) => player.steps[play.indexOf(player.steps, step)]));
  }

  /**
   * Frames that a trail to what is shown leads through, as far as they are at hand.
   * @param {number | null} span how many steps it goes back
   * @returns {{past: object[], more: boolean}} `more` where others are on their way
   */
  trail(span) {
    const { recording, player } = this;
    const steps = trailSteps(player.steps, player.at, span).slice(0, -1);
    const more = steps.some((step) => !recording.has(step));
    if (more) recording.prefetch(steps);
    return { past: steps.map((step) => recording.kept(step)).filter(Boolean), more };
  }
}
