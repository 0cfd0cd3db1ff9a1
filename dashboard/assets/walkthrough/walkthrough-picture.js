// The picture that all figures of the walkthrough share, with what the network does with it, and the theta that the
// reader has chosen.

import { decodeFrame, rowOf } from "../protocol/frame.js";
import { galleryPicture, galleryUrl } from "../picture/gallery.js";
import { NetworkSession } from "../picture/network-session.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame, Transformer } from "../protocol/types.js" */
/** @import { SampledImage } from "../geometry/grid-sampler.js" */
/** @import { TransformRequest, Variation } from "../protocol/transform-stream.js" */

/**
 * What all figures share.
 * @typedef {object} WalkthroughContext
 * @property {Api} api
 * @property {WalkthroughPicture} picture
 * @property {() => void} changed to be called when what a figure's `query` returns has changed
 */

/**
 * A step's figure. It is created when its step is first shown, and computes nothing while it is hidden.
 * @typedef {object} Figure
 * @property {HTMLElement} element
 * @property {() => void | Promise<void>} show settles once it is drawn
 * @property {() => void} hide
 * @property {() => Record<string, string>} query its state, as parameters of an address; none for the default
 * @property {(query: URLSearchParams) => void} restore applies the state in an address
 * @property {() => void | Promise<unknown>} [playAnswer] shows what is right of the step's question
 */

// The frame of a picture of the gallery, as tools/make_walkthrough_example.py writes it.
const EXAMPLE = new URL("./example.frame", import.meta.url);
const EXAMPLE_PICTURE = "rotated";
// With these its digit is upright in the middle.
const EXAMPLE_CENTRED = { rotation: -35 };
const EXAMPLE_VARIATION = { rotation: -15, scale: 0.95, shift_x: 0.3, shift_y: 0.1 };
/** The network whose theta the figures begin with. */
const WEIGHTS = "digits";

/**
 * Dispatches `change` when another picture was opened, and `theta` when the chosen theta has changed.
 */
export class WalkthroughPicture extends EventTarget {
  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    this.weights = WEIGHTS;
    /** @type {Blob | null} */
    this.blob = null; // its file; null for the example's until it is requested
    /** @type {Variation} */
    this.variation = EXAMPLE_VARIATION; // with which `frame` was made
    /** @type {Variation} */
    this.centredVariation = EXAMPLE_CENTRED; // with which the subject is in the middle
    /** @type {Frame | null} */
    this.loaded = null;
    /** @type {Map<string, Promise<NetworkSession>>} */
    this.sessions = new Map(); // by weights and user
    /** @type {number[] | null} */
    this.chosenTheta = null;
    /** @type {number[] | null} */
    this.pixel = null; // column and row of the output pixel that the reader has chosen
  }

  /** Load the example, unless a picture is there. */
  async load() {
    if (this.loaded) return;
    const response = await fetch(EXAMPLE);
    if (!response.ok) throw new Error("The example cannot be loaded. Reload the page.");
    const bytes = await response.arrayBuffer();
    this.loaded ??= decodeFrame(bytes);
  }

  /**
   * What the network does with the picture.
   * @returns {Frame}
   */
  get frame() {
    if (!this.loaded) throw new Error("No picture is loaded.");
    return this.loaded;
  }

  /**
   * The network's input.
   * @returns {SampledImage & {data: Uint8Array}}
   */
  get input() {
    const { input } = this.frame.tensors;
    const data = /** @type {Uint8Array} */ (rowOf(input, 0));
    return { data, shape: input.shape.slice(1) };
  }

  /**
   * The transformer of the network.
   * @returns {Transformer}
   */
  get transformer() {
    return this.frame.info.transformers[0];
  }

  /** Height and width of the transformer's output. */
  get outputSize() {
    return this.frame.tensors[`output.${this.transformer.name}`].shape.slice(1, 3);
  }

  /** The theta that the network predicts. */
  get predictedTheta() {
    return [...rowOf(this.frame.tensors[`theta.${this.transformer.name}`], 0)];
  }

  /** The theta that the reader has chosen; at first the network's. */
  get theta() {
    return this.chosenTheta ?? this.predictedTheta;
  }

  /**
   * Choose theta.
   * @param {number[] | null} theta null for the network's
   */
  setTheta(theta) {
    this.chosenTheta = theta;
    this.dispatchEvent(new Event("theta"));
  }

  /**
   * Choose an output pixel.
   * @param {number[]} pixel column and row; beyond the edge, the nearest one
   * @returns {boolean} whether it is another one than before
   */
  setPixel(pixel) {
    const [rows, columns] = this.outputSize;
    const chosen = [columns, rows].map((count, axis) =>
      Math.min(count - 1, Math.max(0, pixel[axis]))
    );
    const isOther = String(chosen) !== String(this.pixel);
    this.pixel = chosen;
    return isOther;
  }

  /**
   * Open another picture.
   * @param {Blob} blob its file
   * @param {Variation} [variation] how it is changed first
   * @throws {Problem} the server refuses it, or does not respond
   */
  async open(blob, variation = {}) {
    const session = new NetworkSession(this.api, WEIGHTS);
    let frame = await session.open(blob);
    if (Object.keys(variation).length) frame = await session.request({ variation }) ?? frame;
    session.close();
    this.close();
    const centredVariation = {};
    Object.assign(this, { blob, variation, centredVariation });
    Object.assign(this, { loaded: frame, chosenTheta: null, pixel: null });
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Return a session in which the picture is open; requests have no variation unless it is given.
   * @param {string} weights name of a trained network
   * @param {string} user the figure whose requests supersede one another, and no other figure's
   * @returns {Promise<NetworkSession>}
   * @throws {Problem} the server refuses the picture, or does not respond
   */
  session(weights, user) {
    const key = `${weights} ${user}`;
    const known = this.sessions.get(key);
    if (known) return known;
    const opened = this.#open(weights);
    this.sessions.set(key, opened);
    opened.catch(() => this.sessions.delete(key));
    return opened;
  }

  /**
   * Request a frame of the picture as it is varied.
   * @param {string} weights
   * @param {Omit<TransformRequest, "picture" | "weights">} fields
   * @param {string} user the figure that requests it, as in `session`
   * @returns {Promise<Frame | null>} null if a newer request of this figure superseded this one
   */
  async request(weights, fields, user) {
    const session = await this.session(weights, user);
    const { variation } = this;
    return session.request(Object.keys(variation).length ? { variation, ...fields } : fields);
  }

  /** @param {string} weights */
  async #open(weights) {
    const session = new NetworkSession(this.api, weights);
    this.blob ??= await loadExamplePicture();
    await session.open(this.blob);
    return session;
  }

  /** Close all connections. */
  close() {
    for (const session of this.sessions.values()) session.then((each) => each.close(), () => {});
    this.sessions.clear();
  }
}

async function loadExamplePicture() {
  const picture = galleryPicture(EXAMPLE_PICTURE);
  if (!picture) throw new Error("The example's picture is not in the gallery.");
  return (await fetch(galleryUrl(picture))).blob();
}
