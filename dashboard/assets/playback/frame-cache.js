// A run's recorded frames, loaded over HTTP; the most recently used stay in memory.

import { tensorsEqual } from "../protocol/frame.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame, Tensor } from "../protocol/types.js" */

// A frame without its input takes about 12 kB, and equal inputs are shared.
const MAX_BYTES = 48e6;
const MAX_CONCURRENT_PREFETCHES = 4;
// After a frame failed to load, milliseconds before prefetching again.
const RETRY_MILLISECONDS = 1000;

export class FrameCache {
  /**
   * @param {Pick<Api, "frames" | "frame">} api
   * @param {string} id the run's
   * @param {number | null} lapOf the step whose closing lap this is; its frames are keyed by their
   *   number in the lap instead of their step
   */
  constructor(api, id, lapOf = null) {
    this.api = api;
    this.id = id;
    this.lapOf = lapOf;
    /** @type {number | null} */
    this.attempt = null;
    /** @type {number | null} */
    this.listedAttempt = null;
    /** @type {number[]} */
    this.steps = []; // recorded, in order
    /** @type {number[]} */
    this.lapNumbers = []; // of the closing lap's frames
    /** @type {number | null} */
    this.lastStep = null; // recorded
    /** @type {Map<number, {frame: Frame, bytes: number}>} */
    this.frames = new Map(); // by step, the most recently used last; bytes without a shared input
    this.bytes = 0; // of all frames
    /** @type {Map<number, Promise<Frame>>} */
    this.loading = new Map(); // by step
    /** @type {Tensor | null} */
    this.input = null;
    this.failedAt = -Infinity; // when prefetching last failed
  }

  get isLap() {
    return this.lapOf !== null;
  }

  /** List the recorded steps, in order. Cached frames of an earlier attempt are dropped. */
  async listSteps() {
    const known = this.steps;
    let list = await this.api.frames(this.id, { after: known.at(-1) });
    // If steps were dropped or trained again, those that are known may be wrong.
    const isValid = list.before === known.length && list.attempt === this.listedAttempt;
    if (known.length && !isValid) list = await this.api.frames(this.id);
    this.setAttempt(list.attempt);
    this.listedAttempt = list.attempt;
    this.lapNumbers = list.laps.map(([, number]) => number);
    this.steps = list.before ? [...known, ...list.steps] : list.steps;
    this.lastStep = this.steps.at(-1) ?? null;
    return this.steps;
  }

  /** Return a cache of the closing lap's frames. */
  lap() {
    const lap = new FrameCache(this.api, this.id, this.lastStep);
    lap.setAttempt(this.attempt);
    return lap;
  }

  /**
   * Set the attempt that frames come from; steps of an earlier one may have been trained again.
   * @param {number | null} attempt
   */
  setAttempt(attempt) {
    if (this.attempt !== attempt) this.#clear();
    this.attempt = attempt;
  }

  /** @param {number} step */
  has(step) {
    return this.frames.has(step);
  }

  /**
   * Return the cached frame at `step`, or null.
   * @param {number | null} step
   */
  get(step) {
    const entry = step === null ? null : this.frames.get(step);
    if (step === null || !entry) return null;
    this.frames.delete(step);
    this.frames.set(step, entry);
    return entry.frame;
  }

  /**
   * Add a frame, from HTTP or the stream, and return it. Equal inputs share memory, and a frame that
   * is cached already is returned as it is.
   * @param {Frame} frame
   */
  add(frame) {
    const key = /** @type {number} */ (this.isLap ? frame.info.lap : frame.info.step);
    const cached = this.frames.get(key)?.frame;
    if (cached && cached.info.time === frame.info.time) return cached;
    const bytes = tensorBytes(frame);
    if (this.input && tensorsEqual(frame.tensors.input, this.input)) {
      shareInput(frame, this.input);
      this.#put(key, frame, bytes - this.input.data.byteLength);
    } else {
      this.input = frame.tensors.input;
      this.#put(key, frame, bytes);
    }
    return frame;
  }

  /**
   * @param {number} key
   * @param {Frame} frame
   * @param {number} bytes
   */
  #put(key, frame, bytes) {
    this.#remove(key);
    this.frames.set(key, { frame, bytes });
    this.bytes += bytes;
    while (this.bytes > MAX_BYTES && this.frames.size > 1) {
      this.#remove(/** @type {number} */ (this.frames.keys().next().value));
    }
  }

  /** @param {number} key */
  #remove(key) {
    this.bytes -= this.frames.get(key)?.bytes ?? 0;
    this.frames.delete(key);
  }

  #clear() {
    this.frames.clear();
    this.bytes = 0;
  }

  /**
   * Load the frame at `step`; the nearest before it if none was recorded there.
   * @param {number} step
   * @throws {Problem} the server does not respond, or has no frame
   */
  load(step) {
    const cached = this.get(step);
    if (cached) return Promise.resolve(cached);
    let loading = this.loading.get(step);
    if (!loading) {
      loading = this.#fetch(step).finally(() => this.loading.delete(step));
      this.loading.set(step, loading);
    }
    return loading;
  }

  /**
   * Start to load the first few of `steps` that are not cached.
   * @param {number[]} steps
   */
  prefetch(steps) {
    if (Date.now() < this.failedAt + RETRY_MILLISECONDS) return;
    for (const step of steps) {
      if (this.loading.size >= MAX_CONCURRENT_PREFETCHES) return;
      if (this.frames.has(step) || this.loading.has(step)) continue;
      // The error is reported when the frame itself is loaded.
      this.load(step).catch(() => (this.failedAt = Date.now()));
    }
  }

  /** @param {number} step */
  async #fetch(step) {
    const { attempt, lapOf } = this;
    const query = lapOf === null ? { attempt } : { attempt, lap: step };
    const frame = await this.api.frame(this.id, lapOf ?? step, query);
    if (attempt !== this.attempt) return frame;
    const complete = this.add(frame);
    // No frame is recorded at this very step, so the one before it takes its place.
    if (!this.frames.has(step)) this.#put(step, complete, 0);
    return complete;
  }
}

/**
 * Replace a frame's input by an equal one that other frames share. Tensors are views of the received
 * bytes; copying them frees those bytes, and with them the input.
 * @param {Frame} frame
 * @param {Tensor} input
 */
function shareInput(frame, input) {
  for (const [name, { shape, data }] of Object.entries(frame.tensors)) {
    frame.tensors[name] = name === "input" ? input : { shape, data: data.slice() };
  }
}

/** @param {Frame} frame */
function tensorBytes({ tensors }) {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}
