// A run's recorded frames, over HTTP, with the latest used kept at hand.

import { decodeFrame, sameTensor, withInput } from "./frame.js";

// Frames without their inputs take some 12 kB; inputs are shared.
const KEPT = 3000;
const AT_ONCE = 4;
// After a frame that could not be had, milliseconds until more are loaded ahead.
const RETRY = 1000;

export class Recording {
  constructor(api, id) {
    this.api = api;
    this.id = id;
    this.attempt = null;
    this.frames = new Map(); // step -> frame, the latest used last
    this.loading = new Map(); // step -> promise of its frame
    this.input = null;
    this.failed = -Infinity; // when loading ahead did
  }

  /** The recorded steps, in order. What is kept of an earlier attempt is dropped. */
  async list() {
    const { attempt, steps } = await this.api.frames(this.id);
    this.begin(attempt);
    return steps;
  }

  /** Notes the attempt that frames come from; steps of an earlier one may have been run again. */
  begin(attempt) {
    if (this.attempt !== attempt) this.frames.clear();
    this.attempt = attempt;
  }

  has(step) {
    return this.frames.has(step);
  }

  /** The frame at `step` where it is at hand, and null where it is not. */
  kept(step) {
    const frame = this.frames.get(step);
    if (!frame) return null;
    this.frames.delete(step);
    this.frames.set(step, frame);
    return frame;
  }

  /** Keeps a frame, from wherever it came, and answers with it whole. Equal inputs become one. */
  keep(frame) {
    const whole = withInput(frame, this.input);
    if (sameTensor(whole.tensors.input, this.input)) shareInput(whole, this.input);
    else this.input = whole.tensors.input;
    // A closing lap shows its step sixty times over; the step's own frame is the one to keep.
    if ((frame.info.lap ?? null) !== null) return whole;
    this.frames.set(frame.info.step, whole);
    if (this.frames.size > KEPT) this.frames.delete(this.frames.keys().next().value);
    return whole;
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
    const frame = decodeFrame(await this.api.frame(this.id, step, attempt));
    return attempt === this.attempt ? this.keep(frame) : frame;
  }
}

// Tensors are views of the bytes they came in; copies let go of those, and of the input in them.
function shareInput(frame, input) {
  for (const [name, { shape, data }] of Object.entries(frame.tensors)) {
    frame.tensors[name] = name === "input" ? input : { shape, data: data.slice() };
  }
}
