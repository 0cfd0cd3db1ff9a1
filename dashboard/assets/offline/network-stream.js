// The requests of one figure to the network in the browser, in place of a socket.

/** @import { PictureNetwork } from "./picture-network.js" */
/** @import { PictureStream, TransformRequest, TransformStreamCallbacks } from "../protocol/transform-stream.js" */

/**
 * Computes the requests of one figure one after another, the newest first.
 * @implements {PictureStream}
 */
export class NetworkStream {
  /**
   * @param {Promise<PictureNetwork>} network
   * @param {TransformStreamCallbacks} on
   */
  constructor(network, on) {
    this.network = network;
    this.on = on;
    this.number = 0;
    this.isClosed = false;
  }

  /** @param {TransformRequest} request */
  send(request) {
    this.number += 1;
    this.#compute(this.number, request);
    return this.number;
  }

  /** @param {number | undefined} number */
  settle(number) {
    return number === this.number;
  }

  close() {
    this.isClosed = true;
  }

  /**
   * @param {number} number
   * @param {TransformRequest} request
   */
  async #compute(number, request) {
    // The page is drawn, and newer requests come, between two of them.
    await new Promise((resolve) => setTimeout(resolve));
    if (this.isClosed || number !== this.number) return;
    try {
      const frame = await (await this.network).compute(request);
      if (!this.isClosed) this.on.frame({ ...frame, info: { ...frame.info, request: number } });
    } catch (problem) {
      if (!this.isClosed) this.on.error(/** @type {Error} */ (problem).message, number, null);
    }
  }
}
