// Where the enlarged pixels are in the input; another one is chosen by pointing at it.

import { ImagePane } from "../stage/image-pane.js";
import { setAttributes, svgElement } from "../ui/dom.js";
import { drawImage } from "./region-pane.js";

/** @import { SampledImage } from "../geometry/grid-sampler.js" */

export class PatchLocator {
  /** @param {(point: number[]) => void} onPoint called with a point in pixels of the input */
  constructor(onPoint) {
    this.onPoint = onPoint;
    this.shape = [1, 1];
    /** @type {Uint8Array | null} */
    this.drawn = null;
    this.pane = new ImagePane("Input: point at another pixel");
    this.box = svgElement("rect", {
      class: "stn-locator-box",
      "vector-effect": "non-scaling-stroke",
    });
    this.overlay = svgElement("svg", { class: "stn-overlay", "aria-hidden": "true" });
    this.overlay.append(this.box);
    this.pane.setOverlays(this.overlay);
    this.element = this.pane.element;
    this.element.classList.add("stn-patch-locator");
    const { content } = this.pane;
    content.onpointerdown = (event) => {
      content.setPointerCapture(event.pointerId);
      this.#point(event);
    };
    content.onpointermove = (event) =>
      content.hasPointerCapture(event.pointerId) && this.#point(event);
  }

  /** @param {PointerEvent} event */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.pane.content.getBoundingClientRect();
    const [rows, columns] = this.shape;
    this.onPoint([
      columns * clampShare((clientX - left) / width),
      rows * clampShare((clientY - top) / height),
    ]);
  }

  /**
   * @param {SampledImage & {data: Uint8Array}} image
   * @param {[from: number, to: number][]} ranges that are enlarged, along x and y
   */
  draw(image, [across, down]) {
    const [height, width] = this.shape = image.shape;
    // The picture seldom changes.
    if (!this.drawn || image.data.buffer !== this.drawn.buffer) {
      drawImage(this.pane, image);
      this.overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
    }
    this.drawn = image.data;
    setAttributes(this.box, {
      x: across[0],
      y: down[0],
      width: across[1] - across[0],
      height: down[1] - down[0],
    });
  }
}

/** @param {number} share */
const clampShare = (share) => Math.min(1, Math.max(0, share));
