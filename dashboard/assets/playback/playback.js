// What can be played: a run's steps, its closing lap, or an example.

import { createPlayer, setSteps, stepIndex } from "./player.js";
import { FrameCache } from "./frame-cache.js";
import { Metrics } from "./metrics.js";
import { trailSteps } from "./trail-steps.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */

/** The id of the example that is played until a run has frames. */
export const PLACEHOLDER = "example-digits";

// Milliseconds between two requests for the recorded steps of a live run.
const LIST_INTERVAL = 2000;

/** A recording's frames, their player and its metrics. */
export class Playback {
  /**
   * @param {FrameCache} cache
   * @param {Metrics} metrics
   */
  constructor(cache, metrics, player = createPlayer({ live: true })) {
    this.cache = cache;
    this.metrics = metrics;
    this.player = player;
    this.listedAt = 0; // when its steps were last requested
  }

  /**
   * Create the playback of a run's steps.
   * @param {Api} api
   * @param {string} id
   */
  static ofRun(api, id) {
    return new Playback(new FrameCache(api, id), new Metrics());
  }

  get isLap() {
    return this.cache.isLap;
  }

  /**
   * Create the playback of the closing lap of this run, played in a loop; null if none is recorded.
   * @param {boolean} reducedMotion
   */
  lap(reducedMotion) {
    const { lapNumbers } = this.cache;
    if (!lapNumbers.length) return null;
    const player = createPlayer({ steps: lapNumbers, loops: true, reducedMotion });
    return new Playback(this.cache.lap(), this.metrics, player);
  }

  /** Milliseconds until the recorded steps should be requested again. */
  get listDelay() {
    return Math.max(0, this.listedAt + LIST_INTERVAL - Date.now());
  }

  /**
   * Request the recorded steps; the player may have moved meanwhile.
   * @throws {Problem} the server does not respond
   */
  async listSteps() {
    this.listedAt = Date.now();
    const steps = await this.cache.listSteps();
    this.player = setSteps(this.player, steps);
  }

  /**
   * Load frames at or before steps that will be drawn soon.
   * @param {number[]} steps
   */
  prefetch(steps) {
    const { cache, player } = this;
    cache.prefetch(steps.map((step) => player.steps[stepIndex(player.steps, step)]));
  }

  /**
   * Return the cached frames that a trail to the current step connects.
   * @param {number | null} span how many steps the trail goes back
   * @returns {{frames: Frame[], isIncomplete: boolean}} incomplete while others are being loaded
   */
  trail(span) {
    const { cache, player } = this;
    const steps = trailSteps(player.steps, player.step, span).slice(0, -1);
    const isIncomplete = steps.some((step) => !cache.has(step));
    if (isIncomplete) cache.prefetch(steps);
    const frames = steps.map((step) => cache.get(step)).filter((frame) => frame !== null);
    return { frames, isIncomplete };
  }
}
