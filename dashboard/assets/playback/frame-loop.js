// The animation loop of one run: before each repaint it advances the player, takes the current step's
// frame from the cache, or loads it, and has it drawn.

import { advance, upcomingSteps } from "./player.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { Playback } from "./playback.js" */

const PREFETCHED_FRAMES = 24;
// After a frame failed to load, milliseconds before it is loaded again.
const RETRY_MILLISECONDS = 1000;
// Interval between checks for the frames of a trail that are being loaded.
const TRAIL_MILLISECONDS = 60;
// After a longer pause between two repaints, for example of a hidden page, a replay does not jump.
const MAX_SECONDS_PER_TICK = 0.1;

/**
 * @typedef {object} FrameLoopCallbacks
 * @property {() => void} receive adds received frames to the player; called before each repaint
 * @property {(step: number | null) => Frame | null} liveFrame the frame from the stream to draw
 * @property {() => number | null} trailSpan how many steps a trail goes back; null for all
 * @property {(frame: Frame, trail: Frame[]) => void} draw
 * @property {() => void} drawn called after each repaint, whether or not a frame was drawn
 * @property {() => void} modeChanged
 * @property {(problem: Error | null) => void} problem called when a frame fails to load, and with
 *   null when one is loaded
 */

export class FrameLoop {
  /** @param {FrameLoopCallbacks} on */
  constructor(on) {
    this.on = on;
    this.speed = 1; // of a replay
    /** @type {(step: number) => boolean} */
    this.isReady = () => true; // whether all else that is drawn with a step of a replay is loaded
    this.hasTrail = false; // whether earlier frames are drawn as a trail
    this.isHidden = false; // whether nothing is drawn, as the stage is not shown
    this.isLoading = false;
    this.request = 0; // of the next animation frame
    /** @type {number | null} */
    this.lastTick = null; // of a replay, in milliseconds
    /** @type {Playback | null} */
    this.playback = null;
    /** @type {Frame | null} */
    this.frame = null; // the drawn one
    /** @type {Frame[]} */
    this.trail = []; // the frames of its trail
  }

  /** Discard the playback. What was drawn stays until another frame is drawn. */
  clear() {
    this.playback = null;
    this.frame = null;
    this.trail = [];
  }

  /**
   * Draw trails, or none.
   * @param {boolean} hasTrail
   */
  setTrail(hasTrail) {
    if (hasTrail === this.hasTrail) return;
    this.hasTrail = hasTrail;
    this.schedule();
  }

  /** Draw before the next repaint, or once the stage is shown again. */
  schedule() {
    if (!this.request && !this.isHidden) {
      this.request = requestAnimationFrame((now) => this.#tick(now));
    }
  }

  /**
   * Draw nothing while the stage is hidden, and go on when it is shown again.
   * @param {boolean} isHidden
   */
  setHidden(isHidden) {
    this.isHidden = isHidden;
    this.lastTick = null;
    this.schedule();
  }

  /** Draw at once, together with something else. */
  drawNow() {
    if (this.playback) this.#draw(this.playback);
  }

  /** @param {number} now milliseconds */
  #tick(now) {
    this.request = 0;
    const elapsed = (now - (this.lastTick ?? now)) / 1000;
    this.lastTick = now;
    if (!this.playback) return;
    this.on.receive();
    const { playback } = this;
    const before = playback.player;
    playback.player = advance(
      before,
      Math.min(MAX_SECONDS_PER_TICK, elapsed),
      (step) => playback.cache.has(step) && this.isReady(step),
      this.speed,
    );
    if (playback.player.mode !== before.mode) this.on.modeChanged();
    this.#draw(playback);
    if (playback.player.mode === "replay") {
      playback.cache.prefetch(upcomingSteps(playback.player, PREFETCHED_FRAMES));
      this.schedule();
    } else this.lastTick = null;
  }

  /** @param {Playback} playback */
  #draw(playback) {
    const { step } = playback.player;
    const frame = this.on.liveFrame(step) ?? playback.cache.get(step);
    if (frame) this.#drawFrame(frame, this.#loadedTrail(playback));
    else if (step !== null) this.#load(playback, step);
    this.on.drawn();
  }

  /**
   * @param {Frame} frame
   * @param {Frame[]} trail
   */
  #drawFrame(frame, trail) {
    if (frame === this.frame && trail.length === this.trail.length) return;
    this.frame = frame;
    this.trail = trail;
    this.on.draw(frame, trail);
  }

  /**
   * Return the loaded frames of a trail; it is drawn again when more may have been loaded.
   * @param {Playback} playback
   */
  #loadedTrail(playback) {
    if (!this.hasTrail) return [];
    const { frames, isIncomplete } = playback.trail(this.on.trailSpan());
    if (isIncomplete) setTimeout(() => this.schedule(), TRAIL_MILLISECONDS);
    return frames;
  }

  /**
   * Load one frame at a time: when it is loaded, another step may be the current one.
   * @param {Playback} playback
   * @param {number} step
   */
  async #load(playback, step) {
    if (this.isLoading) return;
    this.isLoading = true;
    try {
      await playback.cache.load(step);
      this.on.problem(null);
      this.schedule();
    } catch (problem) {
      if (playback === this.playback) this.on.problem(/** @type {Error} */ (problem));
      // A replay would load it again before each repaint.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
      this.schedule();
    } finally {
      this.isLoading = false;
    }
  }
}
