// One picture and one trained network: each request is answered by the frame of what the network does
// with the picture, and the newest request wins.

import { decodeFrame } from "../protocol/frame.js";
import { Problem } from "../protocol/api.js";

/** @import { Api, PictureStream } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { TransformRequest } from "../protocol/transform-stream.js" */

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
 * What waits for the response to the newest request.
 * @typedef {object} Waiting
 * @property {number} number of the request
 * @property {(frame: Frame | null) => void} resolve null if a newer request superseded it
 * @property {(problem: Problem) => void} reject
 */

export class NetworkSession {
  /**
   * @param {Api} api
   * @param {string} weights name of the trained network
   */
  constructor(api, weights) {
    this.api = api;
    this.weights = weights;
    /** @type {Blob | null} */
    this.blob = null; // the picture's file
    /** @type {string | null} */
    this.picture = null; // its key
    /** @type {PictureStream | null} */
    this.stream = null;
    /** @type {Waiting | null} */
    this.waiting = null;
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
   * @throws {Problem} the server refuses the picture, or does not answer
   */
  async open(blob) {
    this.#supersede();
    const frame = await this.api.transform(blob, this.weights);
    this.blob = blob;
    this.picture = frame.info.picture ?? null;
    return frame;
  }

  /**
   * Request another frame of the picture.
   * @param {Omit<TransformRequest, "picture" | "weights">} fields
   * @returns {Promise<Frame | null>} null if a newer request superseded this one
   * @throws {Problem} the server refuses it
   */
  async request(fields) {
    try {
      return await this.#send(fields);
    } catch (problem) {
      // The server keeps a picture only for a while.
      if (!(problem instanceof Refusal) || problem.field !== "picture" || !this.blob) throw problem;
      await this.open(this.blob);
      return this.#send(fields);
    }
  }

  /**
   * @param {object} fields
   * @returns {Promise<Frame | null>}
   */
  #send(fields) {
    this.#supersede();
    this.stream ??= this.#connect();
    const { picture, weights } = this;
    const number = this.stream.send({ ...fields, picture: picture ?? "", weights });
    return new Promise((resolve, reject) => (this.waiting = { number, resolve, reject }));
  }

  #connect() {
    return this.api.openTransformStream({
      frame: (bytes) => {
        const frame = decodeFrame(bytes);
        this.#take(frame.info.request)?.resolve(frame);
      },
      error: (detail, request, field) => this.#take(request)?.reject(new Refusal(detail, field)),
      connection: (isConnected) => this.onconnection(isConnected),
    });
  }

  /**
   * Return what waits for a response, if it is that of the newest request.
   * @param {number | undefined} number of the request
   */
  #take(number) {
    const { waiting } = this;
    if (!this.stream?.settle(number) || waiting?.number !== number) return null;
    this.waiting = null;
    return waiting;
  }

  #supersede() {
    this.waiting?.resolve(null);
    this.waiting = null;
  }

  close() {
    this.#supersede();
    this.stream?.close();
    this.stream = null;
  }
}
