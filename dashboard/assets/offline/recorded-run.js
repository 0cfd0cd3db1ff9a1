// One recorded run: its list of frames, its metrics, and its frames, which are unpacked when they are requested.

import { decodeGroup, decompress, readGroupHeader } from "./frame-groups.js";
import { Problem } from "../protocol/api.js";
import { stepIndex } from "../playback/player.js";

/** @import { FrameList } from "../protocol/api.js" */
/** @import { Frame, MetricColumns, Tensor } from "../protocol/types.js" */
/** @import { StoredFiles } from "./stored-files.js" */

// Groups that stay unpacked: a replay reads one after another, a trail several.
const MAX_UNPACKED = 6;

/** @typedef {[file: number, offset: number, length: number]} Location a part of one of the run's files */

/**
 * The run's list of frames, as backend/experiment/export/stored_run.py writes it. Frames are numbered in the
 * order of `steps`, then of `laps`.
 * @typedef {object} StoredFrames
 * @property {number} attempt
 * @property {number[]} steps in order
 * @property {[number, number][]} laps step and number of each frame of the closing lap
 * @property {Location[]} groups
 * @property {number[]} first_frames number of each group's first frame
 * @property {Location[]} inputs
 */

export class RecordedRun {
  /**
   * @param {StoredFiles} files
   * @param {string} folder of the run
   */
  constructor(files, folder) {
    this.files = files;
    this.folder = folder;
    /** @type {Promise<StoredFrames> | null} */
    this.stored = null;
    /** @type {Promise<MetricColumns> | null} */
    this.columns = null;
    /** @type {Map<number, Promise<Frame[]>>} */
    this.unpacked = new Map(); // by group, the last used last
    /** @type {Map<number, Promise<Tensor>>} */
    this.inputs = new Map(); // by number
  }

  /** @returns {Promise<StoredFrames>} */
  #load() {
    if (!this.stored) {
      this.stored = this.files.json(`${this.folder}frames.json`);
      this.stored.catch(() => (this.stored = null));
    }
    return this.stored;
  }

  /** @returns {Promise<MetricColumns>} */
  metrics() {
    if (!this.columns) {
      this.columns = this.files.json(`${this.folder}metrics.json`);
      this.columns.catch(() => (this.columns = null));
    }
    return this.columns;
  }

  /**
   * List the recorded steps, or only those after one.
   * @param {number | undefined} after
   * @returns {Promise<FrameList>}
   */
  async frames(after) {
    const { attempt, steps, laps } = await this.#load();
    const before = after === undefined || !steps.length || after < steps[0]
      ? 0
      : stepIndex(steps, after) + 1;
    return { attempt, before, steps: steps.slice(before), laps };
  }

  /**
   * Return the frame of the closing lap, or the nearest at or before a step; before the first, the first.
   * @param {number} step
   * @param {number | null} lap
   * @throws {Problem} no such frame is recorded
   */
  async frame(step, lap) {
    const { steps, laps, first_frames } = await this.#load();
    const number = lap === null
      ? stepIndex(steps, step)
      : steps.length + laps.findIndex(([at, each]) => at === step && each === lap);
    if (number < (lap === null ? 0 : steps.length) || !first_frames.length) {
      throw new Problem("No such frame is recorded.", 404);
    }
    const group = stepIndex(first_frames, number);
    return (await this.#group(group))[number - first_frames[group]];
  }

  /** @param {number} index */
  #group(index) {
    const frames = this.unpacked.get(index) ?? this.#unpack(index);
    this.unpacked.delete(index);
    this.unpacked.set(index, frames);
    frames.catch(() => this.unpacked.delete(index));
    if (this.unpacked.size > MAX_UNPACKED) {
      this.unpacked.delete(/** @type {number} */ (this.unpacked.keys().next().value));
    }
    return frames;
  }

  /** @param {number} index */
  async #unpack(index) {
    const { groups } = await this.#load();
    const data = await decompress(await this.#part(groups[index]));
    const header = readGroupHeader(data);
    const input = header.input === null ? null : await this.#input(header.input);
    return decodeGroup(data, header, input);
  }

  /** @param {number} number */
  #input(number) {
    const input = this.inputs.get(number) ?? this.#unpackInput(number);
    this.inputs.set(number, input);
    input.catch(() => this.inputs.delete(number));
    return input;
  }

  /** @param {number} number */
  async #unpackInput(number) {
    const { inputs } = await this.#load();
    const data = await decompress(await this.#part(inputs[number]));
    return decodeGroup(data, readGroupHeader(data), null)[0].tensors.input;
  }

  /** @param {Location} location */
  #part([file, offset, length]) {
    return this.files.part(`${this.folder}frames-${file}.bin`, offset, length);
  }
}
