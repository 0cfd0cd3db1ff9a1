// An image at a size of its own, with a caption, that can be enlarged and scrolled.

import { element } from "../ui/dom.js";
import { PixelImage } from "./canvas.js";

export class ImagePane {
  /** @param {string} title */
  constructor(title) {
    this.title = title;
    this.image = new PixelImage();
    this.image.canvas.className = "stn-image";
    this.content = element("div.stn-pane-content", {}, this.image.canvas);
    this.viewport = element("div.stn-pane-viewport", {}, this.content);
    const caption = element("figcaption", {}, title);
    this.element = element("figure.stn-image-pane", {}, this.viewport, caption);
    /**
     * Called after the user has scrolled, with the visible centre in shares of the image's sides.
     * @type {(across: number, down: number) => void}
     */
    this.onscroll = () => {};
    /** @type {[number, number] | null} */
    this.scrolledTo = null; // by `scrollToPoint`
    this.viewport.onscroll = () => this.#handleScroll();
  }

  /**
   * Place overlays above the image.
   * @param {...Element} overlays
   */
  setOverlays(...overlays) {
    this.content.replaceChildren(this.image.canvas, ...overlays);
  }

  /**
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   * @param {number} zoom how many times as large as that the image is drawn
   * @param {number} [margin] around the image, within that size
   */
  setSize(width, height, zoom, margin = 0) {
    Object.assign(this.viewport.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.content.style, {
      width: `${zoom * width}px`,
      height: `${zoom * height}px`,
      padding: `${zoom * margin}px`,
    });
    this.viewport.classList.toggle("stn-zoomed", zoom > 1);
  }

  /**
   * Scroll to a point, in shares of the image's sides.
   * @param {number} across
   * @param {number} down
   */
  scrollToPoint(across, down) {
    const { viewport, content } = this;
    viewport.scrollLeft = across * content.offsetWidth - viewport.clientWidth / 2;
    viewport.scrollTop = down * content.offsetHeight - viewport.clientHeight / 2;
    this.scrolledTo = [viewport.scrollLeft, viewport.scrollTop];
  }

  // Scroll events that `scrollToPoint` causes are not passed on.
  #handleScroll() {
    const { viewport, content, scrolledTo } = this;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = viewport;
    if (scrolledTo?.[0] === scrollLeft && scrolledTo[1] === scrollTop) return;
    this.scrolledTo = null;
    this.onscroll(
      (scrollLeft + clientWidth / 2) / content.offsetWidth,
      (scrollTop + clientHeight / 2) / content.offsetHeight,
    );
  }
}
