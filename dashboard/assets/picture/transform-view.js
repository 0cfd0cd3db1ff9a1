// A picture that a trained network transforms and classifies. The picture can be dragged, and so can the
// region: the network classifies the new output.

import { element, setText } from "../ui/dom.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { PictureDrag } from "./picture-drag.js";
import { ProbeDetail } from "../stage/probe-detail.js";
import { RegionHandles } from "./region-handles.js";

/** @import { Frame, Transformer } from "../protocol/types.js" */
/** @import { TransformRequest, Variation } from "../protocol/transform-stream.js" */
/** @import { NetworkSession } from "./network-session.js" */

/** @typedef {"picture" | "region"} DragTarget */

const HEIGHT = 380;
const MAX_WIDTH = 1100;

/** @type {Record<DragTarget, string>} */
const HINTS = {
  picture:
    "Drag the picture: the region follows it. With Shift it rotates, with Shift and the wheel it scales.",
  region: "Drag a corner, or the region, to see how the output and the prediction change.",
};
const CHOSEN_BY_HAND = "You chose this region: the network no longer predicts it.";
const DISCONNECTED = "The connection is lost; reconnecting. The picture stays as it is.";

export class TransformView {
  /** @param {(variation: Variation) => void} onVary called when the picture was dragged */
  constructor(onVary) {
    this.onVary = onVary;
    /** @type {NetworkSession | null} */
    this.session = null;
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {Variation} */
    this.variation = {};
    /** @type {string | null} */
    this.problem = null; // why the last request was refused
    /** @type {TransformRequest} */
    this.override = {}; // the regions that were chosen by hand
    this.disconnected = false;
    this.handles = new RegionHandles((override) => this.#override(override));
    this.drag = new PictureDrag(() => this.variation, (change) => this.#vary(change));
    this.targets = { picture: this.#targetButton("picture"), region: this.#targetButton("region") };
    this.reset = element("button.stn-button.stn-small", { type: "button" }, "Reset region");
    this.reset.title = "Sample the region that the network predicts";
    this.reset.onclick = () => this.#resetRegion();
    this.message = element("p.stn-muted", { aria: { live: "polite" } });
    const targets = element(
      "span.stn-segments",
      { aria: { label: "Effect of dragging" } },
      this.targets.picture,
      this.targets.region,
    );
    targets.setAttribute("role", "group");
    const buttons = element("div.stn-drag-targets", {}, "Drag", targets, this.reset);
    this.controls = element("div.stn-handle-controls", {}, buttons, this.message);
    this.detail = new ProbeDetail(null, { handles: this.#handles(), controls: this.controls });
    this.detail.setView({ probe: 0, layers: DEFAULT_LAYERS });
    this.notes = element("ul.stn-notes");
    this.element = element("div.stn-picture", {}, this.detail.element, this.notes);
    /** @type {DragTarget} */
    this.target = "picture";
    this.#setTarget("picture");
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  /** Combine both kinds of handles above the input. */
  #handles() {
    const both = element("div.stn-handle-layers", {}, this.drag.element, this.handles.element);
    return {
      element: both,
      /** @type {(transformers: Transformer[], input: number[]) => void} */
      build: (transformers, input) => {
        this.handles.build(transformers, input);
        this.drag.build(input);
      },
      /** @type {(frame: Frame, index: number) => void} */
      update: (frame, index) => this.handles.update(frame, index),
    };
  }

  /** @param {DragTarget} target */
  #targetButton(target) {
    const button = element("button.stn-chip", { type: "button" }, `the ${target}`);
    button.onclick = () => this.#setTarget(target);
    return button;
  }

  /** @param {DragTarget} target */
  #setTarget(target) {
    this.target = target;
    for (const [name, button] of Object.entries(this.targets)) {
      button.setAttribute("aria-pressed", String(name === target));
    }
    this.handles.element.hidden = target !== "region";
    this.drag.element.hidden = target !== "picture";
    this.#updateMessage();
  }

  /**
   * Show a picture that a session has opened.
   * @param {NetworkSession} session
   * @param {Frame} frame
   * @param {string} name of the picture
   */
  open(session, frame, name) {
    this.detail.pictureName = name;
    this.session = session;
    this.problem = null;
    this.override = {};
    this.variation = {};
    this.disconnected = false;
    session.onconnection = (isConnected) => {
      this.disconnected = !isConnected;
      this.#updateMessage();
    };
    this.handles.reset();
    this.controls.hidden = this.drag.element.hidden = !session.picture;
    const hasRegion = frame.info.transformers.length > 0;
    this.targets.region.disabled = !hasRegion;
    if (!hasRegion) this.#setTarget("picture");
    const { notes = [] } = frame.info;
    this.notes.replaceChildren(...notes.map((note) => element("li", {}, note)));
    this.#draw(frame);
    this.#resize();
  }

  /**
   * Vary the picture.
   * @param {Variation} variation
   */
  vary(variation) {
    this.variation = variation;
    return this.#send();
  }

  /** @param {Variation} change */
  #vary(change) {
    this.onVary({ ...this.variation, ...change });
  }

  /** @param {TransformRequest} override */
  #override(override) {
    this.override = override;
    this.#send();
    return this.session?.number ?? 0;
  }

  #resetRegion() {
    this.handles.reset();
    this.#override({});
  }

  /**
   * Request the frame, and draw it.
   * @returns {Promise<Frame | null>} null if a newer request superseded it, or it was refused
   */
  async #send() {
    const { session, override, variation } = this;
    if (!session) return null;
    try {
      const frame = await session.request({ ...override, variation });
      if (!frame || session !== this.session) return null;
      this.problem = null;
      this.#draw(frame);
      return frame;
    } catch (problem) {
      if (session !== this.session) return null;
      this.problem = /** @type {Error} */ (problem).message;
      this.handles.reset();
      this.#updateMessage();
      return null;
    }
  }

  /** @param {Frame} frame */
  #draw(frame) {
    this.frame = frame;
    this.detail.draw(frame);
    this.#updateMessage();
    // For tests and benchmarks.
    const detail = { request: frame.info.request };
    this.element.dispatchEvent(new CustomEvent("stnscope:paint", { bubbles: true, detail }));
  }

  #updateMessage() {
    const isByHand = Boolean(this.frame?.info.given?.length);
    this.reset.disabled = !isByHand;
    const message = this.problem ?? (isByHand ? CHOSEN_BY_HAND : HINTS[this.target]);
    setText(this.message, this.disconnected ? DISCONNECTED : message);
  }

  #resize() {
    const { clientWidth } = this.element;
    if (clientWidth) this.detail.resize(Math.min(clientWidth, MAX_WIDTH), HEIGHT);
  }
}
