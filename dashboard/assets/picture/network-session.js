// One picture and one trained network: the response to a request is the frame of what the network does with
// the picture. Responses arrive in the order of their requests; the server skips some if it is busy.

import { Problem } from "../protocol/api.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { PictureStream, TransformRequest } from "../protocol/transform-stream.js" */

/** A request that the server refused. */
class Refusal extends Problem {
  /**
   * @param {string} detail
   * @param {string | null} field the one that is wrong
   */
  constructor(detail, field) {
    super(detail, 400);
    this.field = field;
  }
}

/**
 * What waits for a response.
 * @typedef {object} Waiting
 * @property {(frame: Frame | null) => void} resolve null if a newer request superseded it
 * @property {(problem: Problem) => void} reject
 */

export class NetworkSession {
  /**
   * @param {Api} api
   * @param {string} weights name of the trained network
   * @param {string | null} className of what the picture shows, if it is known
   */
  constructor(api, weights, className = null) {
    this.api = api;
    this.className = className;
    this.weights = weights;
    /** @type {Blob | null} */
    this.blob = null; // the picture's file
    /** @type {string | null} */
    this.picture = null; // its key
    /** @type {PictureStream | null} */
    this.stream = null;
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map(); // by number of the request, in order
    /**
     * Called when the connection was made or lost.
     * @type {(isConnected: boolean) => void}
     */
    this.onconnection = () => {};
  }

  /** The number of the newest request, which its frame repeats. */
  get number() {
    return this.stream?.number ?? 0;
  }

  /**
   * Upload a picture, and return its frame.
   * @param {Blob} blob its file
   * @returns {Promise<Frame>}
   * @throws {Problem} the server refuses the picture, or does not respond
   */
  async open(blob) {
    this.#supersede(Infinity);
    const frame = await this.api.transform(blob, this.weights);
    this.blob = blob;
    this.picture = frame.info.picture ?? null;
    return this.#label(frame);
  }

  /**
   * Request another frame of the picture.
   * @param {Omit<TransformRequest, "picture" | "weights">} fields
   * @returns {Promise<Frame | null>} null if the response to a newer request was received before
   * @throws {Problem} the server refuses it
   */
  async request(fields) {
    const sent = this.#send(fields);
    const { number } = this;
    try {
      return await sent;
    } catch (problem) {
      // The server keeps a picture only for a while.
      if (!(problem instanceof Refusal) || problem.field !== "picture" || !this.blob) throw problem;
      if (number !== this.number) return null;
      await this.open(this.blob);
      // A newer request, sent meanwhile, is refused or answered by itself.
      return number === this.number ? this.#send(fields) : null;
    }
  }

  /**
   * @param {object} fields
   * @returns {Promise<Frame | null>}
   */
  #send(fields) {
    this.stream ??= this.#connect();
    const { picture, weights } = this;
    const number = this.stream.send({ ...fields, picture: picture ?? "", weights });
    return new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
  }

  /**
   * Give a frame the label of what its picture shows.
   * @param {Frame} frame
   */
  #label(frame) {
    const label = frame.info.classes.indexOf(this.className ?? "");
    if (label >= 0) frame.info.labels = [label];
    return frame;
  }

  #connect() {
    return this.api.openTransformStream({
      frame: (frame) => this.#take(frame.info.request ?? 0)?.resolve(this.#label(frame)),
      error: (detail, request, field) => this.#take(request)?.reject(new Refusal(detail, field)),
      connection: (isConnected) => this.onconnection(isConnected),
    });
  }

  /**
   * Return what waits for a response; requests before it will have none.
   * @param {number} number of the request
   */
  #take(number) {
    this.stream?.settle(number);
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    this.#supersede(number);
    return waiting;
  }

  /** @param {number} number of the first request that is kept */
  #supersede(number) {
    for (const [earlier, { resolve }] of this.waiting) {
      if (earlier >= number) break;
      this.waiting.delete(earlier);
      resolve(null);
    }
  }

  close() {
    this.#supersede(Infinity);
    this.stream?.close();
    this.stream = null;
  }
}
