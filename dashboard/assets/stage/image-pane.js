// Pictures at sizes of their own, side by side, that can be zoomed into.

import { element } from "../ui/dom.js";
import { PixelImage } from "./canvas.js";

/** A picture at a size of its own that can be zoomed into. */
export class ImagePane {
  constructor(name) {
    this.name = name;
    this.picture = new PixelImage(document);
    this.picture.canvas.className = "stn-image";
    this.tile = element("div.stn-pane-content", {}, this.picture.canvas);
    this.frame = element("div.stn-pane-viewport", {}, this.tile);
    this.onscroll = () => {}; // called with what is in the middle, in shares of the picture's sides
    this.frame.onscroll = () => this.#tell();
    this.element = element(
      "figure.stn-image-pane",
      {},
      this.frame,
      element("figcaption", {}, name),
    );
  }

  /** Lays overlays above the picture. */
  lay(...overlays) {
    this.tile.replaceChildren(this.picture.canvas, ...overlays);
  }

  size(width, height, zoom, { margin = 0 } = {}) {
    Object.assign(this.frame.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.tile.style, {
      width: `${zoom * width}px`,
      height: `${zoom * height}px`,
      padding: `${zoom * margin}px`,
    });
    this.frame.classList.toggle("stn-zoomed", zoom > 1);
  }

  /** Scrolls to a place, in shares of the picture's sides. */
  centre(across, down) {
    const { frame, tile } = this;
    frame.scrollLeft = across * tile.offsetWidth - frame.clientWidth / 2;
    frame.scrollTop = down * tile.offsetHeight - frame.clientHeight / 2;
    this.placed = [frame.scrollLeft, frame.scrollTop];
  }

  // Where someone else than `centre` has scrolled to.
  #tell() {
    const { frame, tile, placed } = this;
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = frame;
    if (placed?.[0] === scrollLeft && placed[1] === scrollTop) return;
    this.placed = null;
    this.onscroll(
      (scrollLeft + clientWidth / 2) / tile.offsetWidth,
      (scrollTop + clientHeight / 2) / tile.offsetHeight,
    );
  }
}
