// A picture that a trained network has transformed and classified. Its regions can be dragged, and the
// network classifies the new output.

import { decodeFrame } from "../protocol/frame.js";
import { element, setText } from "../ui/dom.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { ProbeDetail } from "../stage/probe-detail.js";
import { RegionHandles } from "./region-handles.js";
import { TransformStream } from "../protocol/transform-stream.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { TransformRequest } from "../protocol/transform-stream.js" */

const HEIGHT = 320;
const MAX_WIDTH = 1000;

const HINT =
  "Drag a corner, or the region, to see how the output and the prediction change. Arrow keys move " +
  "the focused one.";
const CHOSEN_BY_HAND = "You chose this region.";
const DISCONNECTED = "The connection is lost; reconnecting. The picture stays as it is.";

export class TransformView {
  /** @param {() => URL | undefined} streamUrl address of the transform stream */
  constructor(streamUrl) {
    this.streamUrl = streamUrl;
    /** @type {TransformStream | null} */
    this.stream = null;
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {{picture?: string, weights?: string}} */
    this.source = {}; // what is transformed
    /** @type {string | null} */
    this.problem = null; // why the last request was refused
    /** @type {TransformRequest} */
    this.override = {}; // the regions that were chosen last
    this.disconnected = false;
    this.handles = new RegionHandles((override) => this.#send(override));
    this.reset = element("button.stn-button.stn-small", { type: "button" }, "Reset region");
    this.reset.title = "Sample the region that the network predicts";
    this.reset.onclick = () => this.#reset();
    this.message = element("p.stn-muted", { aria: { live: "polite" } });
    this.controls = element("div.stn-handle-controls", {}, this.reset, this.message);
    this.detail = new ProbeDetail(null, { handles: this.handles, controls: this.controls });
    this.detail.setView({ probe: 0, layers: DEFAULT_LAYERS });
    this.notes = element("ul.stn-notes");
    this.element = element("div.stn-picture", {}, this.detail.element, this.notes);
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  /**
   * Show a picture as its network transforms it. A region that was chosen by hand in the same picture
   * stays; if it was refused, because a restarted server had no picture yet, it is sent again.
   * @param {Frame} frame
   */
  update(frame) {
    const { picture, weights, notes = [] } = frame.info;
    const wasRefused = this.problem !== null;
    this.problem = null;
    if (picture && this.#isCurrent(frame)) {
      if (wasRefused) this.#send(this.override);
      this.#updateMessage();
      return;
    }
    this.override = {};
    this.source = { picture, weights };
    this.handles.reset();
    this.#draw(frame);
    this.#resize();
    this.notes.replaceChildren(...notes.map((note) => element("li", {}, note)));
    this.#connect(frame);
  }

  close() {
    this.stream?.close();
  }

  /** @param {Frame} frame */
  #isCurrent({ info }) {
    return info.picture === this.source.picture && info.weights === this.source.weights;
  }

  /** @param {Frame} frame */
  #draw(frame) {
    this.frame = frame;
    this.detail.draw(frame);
    this.#updateMessage();
  }

  /**
   * Open the stream; without a transformer there is nothing to drag.
   * @param {Frame} frame
   */
  #connect({ info }) {
    const url = this.streamUrl();
    const canDrag = Boolean(info.picture && url && info.transformers.length);
    this.handles.element.hidden = this.controls.hidden = !canDrag;
    if (!url || !canDrag || this.stream) return;
    this.stream = new TransformStream(url, {
      frame: (bytes) => this.#receive(decodeFrame(bytes)),
      error: (detail, request) => this.#receiveError(detail, request),
      connection: (isConnected) => {
        this.disconnected = !isConnected;
        this.#updateMessage();
      },
    });
  }

  /** @param {TransformRequest} override */
  #send(override) {
    this.override = override;
    return this.stream?.send({ ...this.source, ...override }) ?? 0;
  }

  #reset() {
    this.handles.reset();
    this.#send({});
  }

  /** @param {Frame} frame */
  #receive(frame) {
    this.problem = null;
    this.stream?.settle(frame.info.request);
    if (this.#isCurrent(frame)) this.#draw(frame);
  }

  /**
   * @param {string} detail
   * @param {number} request
   */
  #receiveError(detail, request) {
    if (!this.stream?.settle(request)) return;
    this.problem = detail;
    this.handles.reset();
    this.#updateMessage();
  }

  #updateMessage() {
    const isByHand = Boolean(this.frame?.info.given?.length);
    this.reset.disabled = !isByHand;
    const message = this.problem ?? (isByHand ? CHOSEN_BY_HAND : HINT);
    setText(this.message, this.disconnected ? DISCONNECTED : message);
  }

  #resize() {
    const { clientWidth } = this.element;
    if (clientWidth) this.detail.resize(Math.min(clientWidth, MAX_WIDTH), HEIGHT);
  }
}
