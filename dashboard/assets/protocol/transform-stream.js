// A stream of transformed frames of one uploaded picture, one for each request.
//
// Requests are sent at once; the server responds to the newest that it received while it was busy.

import { decodeFrame } from "./frame.js";
import { ReconnectingSocket } from "./reconnecting-socket.js";

/** @import { Frame } from "./types.js" */

/**
 * Changes of a picture; those that are left out change nothing.
 * @typedef {object} Variation
 * @property {number} [rotation] degrees, clockwise
 * @property {number} [scale]
 * @property {number} [shift_x] share of half the input's side
 * @property {number} [shift_y]
 * @property {number} [tilt] degrees about the vertical axis
 * @property {number} [bend] -1 to 1
 * @property {number} [cover] width of a bar across the middle, as a share of the side
 * @property {number} [darkness] 0 to 1
 * @property {number} [clutter] number of crops of other images
 * @property {number} [seed] of their positions
 */

/**
 * What to transform: the key of an uploaded picture, the weights, and for each transformer whose
 * region is chosen by hand its theta or its corners.
 * @typedef {object} TransformRequest
 * @property {string} [picture]
 * @property {string} [weights]
 * @property {Object<string, number[]>} [theta]
 * @property {Object<string, number[][]>} [corners]
 * @property {Variation} [variation] how the picture is changed first
 * @property {{class: number}} [gradient] requests the gradient of that class's loss
 * @property {{class: number, count: number, rate: number}} [steps] takes steps on theta along it
 * @property {boolean} [maps] requests the localisation network's feature maps
 */

/**
 * @typedef {object} TransformStreamCallbacks
 * @property {(frame: Frame) => void} frame
 * @property {(detail: string, request: number, field: string | null) => void} error the server refused a
 *   request; `field` is the one that is wrong
 * @property {(isConnected: boolean) => void} connection the connection was made or lost
 */

/**
 * What the page uses of the stream, which a page without a server fulfils too.
 * @typedef {Pick<TransformStream, "number" | "send" | "settle" | "close">} PictureStream
 */

/** Numbers requests, and keeps the newest until its response is received. Exported for tests. */
export class PendingRequest {
  constructor() {
    this.number = 0;
    /** @type {object | null} */
    this.message = null; // the newest, until its response is received
  }

  /**
   * Return the message for a new request.
   * @param {TransformRequest} request
   */
  next(request) {
    this.number += 1;
    this.message = { type: "transform", request: this.number, ...request };
    return this.message;
  }

  /**
   * Record a response; return whether it is that of the newest request.
   * @param {number | undefined} number of the request
   */
  settle(number) {
    const isNewest = number === this.number;
    if (isNewest) this.message = null;
    return isNewest;
  }
}

export class TransformStream {
  /**
   * @param {URL} url
   * @param {TransformStreamCallbacks} on
   */
  constructor(url, on) {
    this.pending = new PendingRequest();
    this.socket = new ReconnectingSocket(url, {
      open: () => this.#start(),
      message: ({ type, detail, request, field }) =>
        type === "error" && on.error(detail, request, field ?? null),
      frame: (bytes) => on.frame(decodeFrame(bytes)),
      connection: on.connection,
    });
  }

  /** The number of the newest request. */
  get number() {
    return this.pending.number;
  }

  /**
   * Request a frame.
   * @param {TransformRequest} request
   * @returns {number} the request's number, which the response repeats
   */
  send(request) {
    this.socket.send(this.pending.next(request));
    return this.pending.number;
  }

  /**
   * Record a response; return whether it is that of the newest request.
   * @param {number | undefined} number of the request
   */
  settle(number) {
    return this.pending.settle(number);
  }

  close() {
    this.socket.close();
  }

  /** Send the newest request again if the lost connection brought no response to it. */
  #start() {
    this.socket.send({ type: "hello" });
    if (this.pending.message) this.socket.send(this.pending.message);
  }
}
