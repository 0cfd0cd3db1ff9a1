// One run on the page: its state, its stream, its playback, and the requests that change it.
//
// Events:
//   frame     {frame, trail}: draw this frame, with a trail through those of earlier steps
//   metrics   rows were added to the metrics
//   playback  another playback, and with it other metrics
//   received  frames were received while an external player chooses the drawn one
//   change    anything else: the run, the connection, the player, a problem

import * as player from "./player.js";
import { FrameLoop } from "./frame-loop.js";
import { FrameQueue } from "./frame-queue.js";
import { PLACEHOLDER, Playback } from "./playback.js";
import { Problem } from "../protocol/api.js";
import { isFaulty } from "../ui/run-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Stream } from "../protocol/run-stream.js" */
/** @import { Frame, MetricColumns, Run } from "../protocol/types.js" */
/** @import { Player } from "./player.js" */

// Milliseconds until a run is opened again whose recording could not be read.
const RETRY_MILLISECONDS = 5000;
// A sample of longer runs' metrics is loaded over HTTP; those of shorter runs come over the stream.
const MAX_STREAMED_STEPS = 2000;

export class RunStore extends EventTarget {
  /**
   * @param {Api} api
   * @param {boolean} reducedMotion whether to replay only on request
   */
  constructor(api, reducedMotion) {
    super();
    this.api = api;
    this.reducedMotion = reducedMotion;
    this.followsExternal = false; // whether an external player chooses the drawn frame
    /** @type {string | null} */
    this.id = null;
    /** @type {Run | null} */
    this.run = null;
    /** @type {Error | null} */
    this.problem = null;
    this.disconnected = false;
    this.skipped = 0; // frames that were not sent to this page
    /** @type {Playback | null} */
    this.runPlayback = null; // of the run's steps
    /** @type {Stream | null} */
    this.stream = null;
    this.queue = new FrameQueue();
    /** @type {FrameLoop} */
    this.loop = new FrameLoop({
      receive: () => this.#takeFrames(),
      liveFrame: (step) => this.#liveFrame(step),
      trailSpan: () => (this.isPlayingLap ? null : (this.shownRun?.steps_per_epoch ?? null)),
      draw: (frame, trail) => this.#dispatch("frame", { frame, trail }),
      drawn: () => this.queue.grantCredits(this.stream),
      modeChanged: () => this.#dispatch("change"),
      problem: (problem) => this.#setProblem(problem),
    });
  }

  /** Close the run. What was drawn of it stays until another frame is drawn. */
  clear() {
    this.stream?.close();
    this.stream = null;
    this.id = null;
    this.run = null;
    this.problem = null;
    this.disconnected = false;
    this.skipped = 0;
    this.runPlayback = null;
    this.queue = new FrameQueue();
    this.loop.clear();
  }

  /** What is played: the run's steps, its closing lap, or an example until the run has frames. */
  get playback() {
    return this.loop.playback;
  }

  get player() {
    return this.playback?.player ?? player.createPlayer({ live: true });
  }

  /** The drawn frame. */
  get frame() {
    return this.loop.frame;
  }

  /** The frames of its trail. */
  get trail() {
    return this.loop.trail;
  }

  /** Whether an example is played in place of the run. */
  get isPlayingPlaceholder() {
    return this.playback !== this.runPlayback && !this.isPlayingLap;
  }

  /** The run whose frames are drawn; null for an example in its place. */
  get shownRun() {
    return this.isPlayingPlaceholder ? null : this.run;
  }

  /** Whether the closing lap is played, in which the probes move and the weights do not. */
  get isPlayingLap() {
    return Boolean(this.playback?.isLap);
  }

  /** Whether there is a closing lap to play. */
  get hasLap() {
    return Boolean(
      this.runPlayback && !this.runPlayback.player.live && this.runPlayback.cache.lapNumbers.length,
    );
  }

  /** When a frame was last received, in milliseconds since 1970; null before the first. */
  get lastReceived() {
    return this.queue.lastReceived;
  }

  /**
   * Open a run: live while it is being trained, otherwise from its recording.
   * @param {string} id
   * @param {{step?: number | null, lap?: boolean}} at the step to pause at, if any, and whether to
   *   play the closing lap
   */
  async open(id, { step = null, lap = false } = {}) {
    this.clear();
    this.id = id;
    const playback = (this.runPlayback = Playback.ofRun(this.api, id));
    this.#setPlayback(playback);
    try {
      const run = await this.api.run(id);
      if (playback !== this.runPlayback) return;
      if (isFaulty(run)) this.#retryLater(run, { step, lap });
      else await this.#start(playback, run, step, lap);
    } catch (problem) {
      if (playback === this.runPlayback) this.#setProblem(/** @type {Error} */ (problem));
    }
  }

  /**
   * Show why a run's recording cannot be read, and open the run again later.
   * @param {Run} run
   * @param {{step: number | null, lap: boolean}} at as of `open`
   */
  #retryLater(run, at) {
    const { runPlayback } = this;
    this.#setProblem(new Problem(run.error ?? run.status));
    setTimeout(() => {
      if (runPlayback === this.runPlayback) this.open(run.id, at);
    }, RETRY_MILLISECONDS);
  }

  /** Play an example, since there is no run. */
  async openPlaceholder() {
    this.clear();
    this.runPlayback = Playback.ofRun(this.api, PLACEHOLDER);
    await this.#playPlaceholder(this.runPlayback);
  }

  /**
   * Play the closing lap in a loop, or the run's steps.
   * @param {boolean} isLap
   */
  playLap(isLap) {
    if (!this.runPlayback || isLap === this.isPlayingLap || (isLap && !this.hasLap)) return;
    this.loop.playback = isLap ? this.runPlayback.lap(this.reducedMotion) : this.runPlayback;
    this.loop.schedule();
    this.#dispatch("change");
  }

  /**
   * Pause at the recorded step at or before `step`.
   * @param {number} step
   */
  seek(step) {
    this.playLap(false);
    this.updatePlayer((current) => player.seek(current, step));
  }

  /**
   * Change the current player.
   * @param {(current: Player) => Player} change
   */
  updatePlayer(change) {
    if (!this.playback) return;
    const before = this.playback.player;
    this.playback.player = change(before);
    if (before.mode === "follow" && this.playback.player.mode !== "follow") this.#listSoon();
    this.#updateFollowing();
    this.loop.schedule();
    this.#dispatch("change");
  }

  /**
   * Send an action, or a change of settings. A newer state from the stream overrides the response.
   * @param {object} request
   * @throws {Problem} it is refused, or the server does not respond
   */
  async control(request) {
    const { id, runPlayback, run } = this;
    if (id === null || !run) return;
    const response = await this.api.control(id, request);
    if (runPlayback !== this.runPlayback || run !== this.run) return;
    this.run = { ...run, ...response };
    this.#dispatch("change");
  }

  /**
   * Set whether an external player chooses the drawn frame, so that all frames are received.
   * @param {boolean} isExternal
   */
  followExternal(isExternal) {
    if (isExternal === this.followsExternal) return;
    this.followsExternal = isExternal;
    this.#updateFollowing();
  }

  /**
   * Request and draw no frames while the stage is hidden.
   * @param {boolean} isHidden
   */
  setHidden(isHidden) {
    this.loop.setHidden(isHidden);
    this.#updateFollowing();
  }

  /**
   * @param {Playback} playback
   * @param {Run} run
   * @param {number | null} step
   * @param {boolean} lap
   */
  async #start(playback, run, step, lap) {
    this.run = run;
    playback.cache.setAttempt(run.attempt);
    const [steps] = await Promise.all([
      run.frames ? playback.cache.listSteps() : [],
      this.#loadMetrics(playback, run),
    ]);
    if (playback !== this.runPlayback) return;
    const { reducedMotion } = this;
    playback.player = player.createPlayer({ steps, live: run.live, reducedMotion });
    if (step !== null && steps.length) playback.player = player.seek(playback.player, step);
    this.#connect(playback, run.id);
    this.playLap(lap);
    this.#dispatch("change");
    if (steps.length) this.loop.schedule();
    else await this.#playPlaceholder(playback);
  }

  /**
   * @param {Playback} playback
   * @param {Run} run
   */
  async #loadMetrics(playback, run) {
    if (run.step <= MAX_STREAMED_STEPS) return;
    playback.metrics.append(await this.api.metrics(run.id, { points: MAX_STREAMED_STEPS }));
  }

  /** @param {Playback} runPlayback of the run that has no frames yet */
  async #playPlaceholder(runPlayback) {
    const example = Playback.ofRun(this.api, PLACEHOLDER);
    try {
      const steps = await example.cache.listSteps();
      example.metrics.append(await this.api.metrics(PLACEHOLDER));
      if (runPlayback !== this.runPlayback || runPlayback.player.steps.length) return;
      example.player = player.createPlayer({ steps, reducedMotion: this.reducedMotion });
      this.#setPlayback(example);
      this.loop.schedule();
    } catch (problem) {
      // A server may have no examples.
      const isMissing = problem instanceof Problem && problem.status === 404;
      if (runPlayback === this.runPlayback && !isMissing) {
        this.#setProblem(/** @type {Error} */ (problem));
      }
    }
  }

  /** @param {Playback} playback */
  #setPlayback(playback) {
    this.loop.playback = playback;
    this.#dispatch("playback");
  }

  /**
   * @param {Playback} playback
   * @param {string} id
   */
  #connect(playback, id) {
    /**
     * Ignore what is received for a run that was closed.
     * @template T
     * @param {(message: T) => void} handler
     * @returns {(message: T) => void}
     */
    const ifOpen = (handler) => (message) => {
      if (playback === this.runPlayback) handler(message);
    };
    /** @type {Stream} */
    const stream = this.api.openStream(id, {
      run: ifOpen((run) => this.#receiveRun(playback, run)),
      metrics: ifOpen((columns) => this.#receiveMetrics(playback, stream, columns)),
      frame: ifOpen((frame) => this.#receiveFrame(playback, frame)),
      connection: ifOpen((isConnected) => this.#setConnected(isConnected)),
    });
    stream.lastStep = playback.metrics.lastStep;
    this.stream = stream;
    this.#updateFollowing();
  }

  /** @param {boolean} isConnected */
  #setConnected(isConnected) {
    this.disconnected = !isConnected;
    if (!isConnected) this.#checkDeleted();
    this.queue.dropCredits();
    this.#dispatch("change");
  }

  /**
   * @param {Playback} playback
   * @param {Run} run
   */
  #receiveRun(playback, run) {
    if (isFaulty(run) && this.run) {
      // What is known of the run stays; its recording may become readable again.
      const { status, error, can } = run;
      this.run = { ...this.run, status, error, can, live: false };
      this.#setProblem(new Problem(error ?? status));
      return;
    }
    this.run = run;
    this.problem = null;
    if (run.deleted) return this.#closeDeleted(run);
    this.skipped = run.skipped ?? 0;
    playback.cache.setAttempt(run.attempt);
    playback.player = player.setLive(playback.player, run.live, run.complete);
    if (playback.player.live) this.playLap(false);
    if (playback.player.mode !== "follow") this.#listSoon();
    this.#updateFollowing();
    this.loop.schedule();
    this.#dispatch("change");
  }

  /** Check whether the run was deleted: a lost connection may be the only sign of it. */
  async #checkDeleted() {
    const { id, run, runPlayback } = this;
    if (id === null || !run) return;
    try {
      await this.api.run(id);
    } catch (problem) {
      const isMissing = problem instanceof Problem && problem.status === 404;
      if (runPlayback === this.runPlayback && isMissing) {
        this.#closeDeleted({ ...run, deleted: true });
      }
    }
  }

  /**
   * Close the stream of a deleted run. The frames in memory can still be drawn.
   * @param {Run} run
   */
  #closeDeleted(run) {
    this.stream?.close();
    this.disconnected = false;
    this.run = { ...run, can: [], live: false };
    const playback = this.runPlayback;
    if (playback && !this.isPlayingPlaceholder) {
      const steps = playback.player.steps.filter((step) => playback.cache.has(step));
      const shortened = { ...playback.player, steps, live: false };
      playback.player = player.seek(shortened, /** @type {number} */ (playback.player.step));
    }
    this.#dispatch("change");
  }

  /**
   * @param {Playback} playback
   * @param {Stream} stream
   * @param {MetricColumns} columns
   */
  #receiveMetrics(playback, stream, columns) {
    playback.metrics.append(columns);
    stream.lastStep = playback.metrics.lastStep;
    if (!this.isPlayingPlaceholder) this.#dispatch("metrics");
  }

  /**
   * @param {Playback} playback
   * @param {Frame} frame
   */
  #receiveFrame(playback, frame) {
    this.queue.add(playback.cache.add(frame));
    if (this.isPlayingPlaceholder) this.#setPlayback(playback);
    this.loop.schedule();
  }

  /**
   * Take one received frame for each repaint, so that those are drawn too that were received while
   * the page was busy; or all at once while another frame is shown.
   */
  #takeFrames() {
    const { runPlayback, queue } = this;
    if (!runPlayback) return;
    const taken = queue.take({ all: runPlayback.player.mode !== "follow" });
    for (const { info } of taken) {
      runPlayback.player = player.addStep(runPlayback.player, info.step);
    }
    if (this.followsExternal && taken.length) this.#dispatch("received");
    if (queue.frames.length) this.loop.schedule();
  }

  /**
   * Return the newest frame, if it is the one to draw. It may have replaced a cached one of the same step.
   * @param {number | null} step
   */
  #liveFrame(step) {
    const { newest } = this.queue;
    return this.player.mode === "follow" && newest?.info.step === step ? newest : null;
  }

  /** List the recorded steps again, since the stream skips some. */
  #listSoon() {
    const playback = this.runPlayback;
    if (!playback) return;
    clearTimeout(this.listTimer);
    this.listTimer = setTimeout(
      () => playback === this.runPlayback && this.#list(playback),
      playback.listDelay,
    );
  }

  /** @param {Playback} playback */
  async #list(playback) {
    try {
      await playback.listSteps();
      if (playback === this.runPlayback) this.#setProblem(null);
    } catch (problem) {
      if (playback === this.runPlayback) this.#setProblem(/** @type {Error} */ (problem));
    }
    this.loop.schedule();
  }

  #updateFollowing() {
    const isFollowing = this.followsExternal || this.runPlayback?.player.mode === "follow";
    this.stream?.follow(isFollowing && !this.loop.isHidden);
  }

  /** @param {Error | null} problem the last one; null when it works again */
  #setProblem(problem) {
    this.problem = problem;
    this.#dispatch("change");
  }

  /**
   * @param {string} type
   * @param {object} [detail]
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
