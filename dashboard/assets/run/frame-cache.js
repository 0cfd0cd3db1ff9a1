// A run's recorded frames, over HTTP, with the latest used kept at hand.

import { decodeFrame, tensorsEqual, withInput } from "../protocol/frame.js";

// Frames without their inputs take some 12 kB, and inputs that stand still are shared.
const KEPT_BYTES = 48e6;
const AT_ONCE = 4;
// After a frame that could not be had, milliseconds until more are loaded ahead.
const RETRY = 1000;

export class Recording {
  /** @param {number | null} lapOf the step whose closing lap this is; its steps are numbers in it */
  constructor(api, id, lapOf = null) {
    this.api = api;
    this.id = id;
    this.lapOf = lapOf;
    this.attempt = null;
    this.laps = []; // the numbers of the closing lap's frames
    this.frames = new Map(); // step -> its frame and that one's own bytes, the latest used last
    this.bytes = 0; // of all those
    this.loading = new Map(); // step -> promise of its frame
    this.input = null;
    this.failed = -Infinity; // when loading ahead did
  }

  get isLap() {
    return this.lapOf !== null;
  }

  /** The recorded steps, in order. What is kept of an earlier attempt is dropped. */
  async list() {
    const { attempt, steps, laps } = await this.api.frames(this.id);
    this.begin(attempt);
    this.laps = laps.map(([, number]) => number);
    this.end = steps.at(-1) ?? null;
    return steps;
  }

  /** The closing lap as a recording of its own. */
  lap() {
    const lap = new Recording(this.api, this.id, this.end);
    lap.begin(this.attempt);
    return lap;
  }

  /** Notes the attempt that frames come from; steps of an earlier one may have been run again. */
  begin(attempt) {
    if (this.attempt !== attempt) this.#clear();
    this.attempt = attempt;
  }

  has(step) {
    return this.frames.has(step);
  }

  /** The frame at `step` where it is at hand, and null where it is not. */
  kept(step) {
    const entry = this.frames.get(step);
    if (!entry) return null;
    this.frames.delete(step);
    this.frames.set(step, entry);
    return entry.frame;
  }

  /**
   * Keeps a frame, from wherever it came, and answers with it whole. Equal inputs become one, and a
   * frame that is at hand already stays the one.
   */
  keep(frame) {
    const place = this.isLap ? frame.info.lap : frame.info.step;
    const known = this.frames.get(place)?.frame;
    if (known && known.info.time === frame.info.time) return known;
    const whole = withInput(frame, this.input);
    const shared = tensorsEqual(whole.tensors.input, this.input);
    if (shared) shareInput(whole, this.input);
    else this.input = whole.tensors.input;
    this.#put(place, whole, bytesOf(whole) - (shared ? this.input.data.byteLength : 0));
    return whole;
  }

  #put(place, frame, bytes) {
    this.#forget(place);
    this.frames.set(place, { frame, bytes });
    this.bytes += bytes;
    while (this.bytes > KEPT_BYTES && this.frames.size > 1) {
      this.#forget(this.frames.keys().next().value);
    }
  }

  #forget(place) {
    this.bytes -= this.frames.get(place)?.bytes ?? 0;
    this.frames.delete(place);
  }

  #clear() {
    this.frames.clear();
    this.bytes = 0;
  }

  /**
   * The frame at `step`; the nearest before it where none was recorded there.
   * @throws {Problem} the server does not answer, or has none
   */
  load(step) {
    const kept = this.kept(step);
    if (kept) return Promise.resolve(kept);
    if (!this.loading.has(step)) {
      const loading = this.#fetch(step).finally(() => this.loading.delete(step));
      this.loading.set(step, loading);
    }
    return this.loading.get(step);
  }

  /** Begins to load the first few of `steps` that are not at hand yet. */
  prefetch(steps) {
    if (Date.now() < this.failed + RETRY) return;
    for (const step of steps) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.frames.has(step) || this.loading.has(step)) continue;
      // Who then asks for the frame itself is told what failed.
      this.load(step).catch(() => (this.failed = Date.now()));
    }
  }

  async #fetch(step) {
    const attempt = this.attempt;
    const place = this.isLap ? { attempt, lap: step } : { attempt };
    const frame = decodeFrame(await this.api.frame(this.id, this.lapOf ?? step, place));
    if (attempt !== this.attempt) return frame;
    const whole = this.keep(frame);
    // Nothing is recorded at this very step, or no more: the one before it stands in its place.
    if (!this.frames.has(step)) this.#put(step, whole, 0);
    return whole;
  }
}

// Tensors are views of the bytes they came in; copies let go of those, and of the input in them.
function shareInput(frame, input) {
  for (const [name, { shape, data }] of Object.entries(frame.tensors)) {
    frame.tensors[name] = name === "input" ? input : { shape, data: data.slice() };
  }
}

function bytesOf({ tensors }) {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
}
