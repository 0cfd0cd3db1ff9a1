// Pictures at sizes of their own, side by side, that can be zoomed into.

import { element } from "./dom.js";
import { Picture } from "./draw.js";

// CSS pixels between them.
export const GAP = 12;

/**
 * How large an input and its outputs are drawn: as large as fits, with whole numbers of screen
 * pixels for each data pixel, where that costs little. Several outputs stand below each other in
 * half of the height.
 * @param {{width: number, height: number}} room in CSS pixels
 * @param {number[]} input its rows and columns, with what is around it
 * @param {number[][]} outputs the rows and columns of each
 * @param {number} density screen pixels for each CSS pixel
 * @returns {{scale: number, sizes: number[][]}} CSS pixels for each of the input's; the height and
 *   width of each output
 */
export function panesWithin({ width, height }, [rows, columns], outputs, density) {
  const each = 1 / density;
  const at = (scale, less) => {
    const side = outputs.length > 1 ? (scale * rows - GAP) / 2 : scale * rows;
    return outputs.map(([high, wide]) => {
      const whole = wholeScale(side / high, density);
      const given = whole > 4 ? whole - less : whole;
      return [given * high, given * wide];
    });
  };
  // An output may be a little smaller than its input, where that lets both be larger.
  for (const scale of scales(each)) {
    for (const less of [0, each]) {
      const sizes = at(scale, less);
      const wide = sizes.reduce((sum, size) => sum + GAP + size[1], scale * columns);
      if (scale * rows <= height && wide <= width) return { scale, sizes };
    }
  }
  return { scale: SMALLEST, sizes: at(SMALLEST, 0) };
}

const LARGEST = 32;
const SMALLEST = 0.05;

function* scales(each) {
  for (let scale = LARGEST; scale >= 1; scale -= each) yield scale;
  for (let scale = 1; scale > SMALLEST; scale -= SMALLEST) yield scale;
}

function wholeScale(scale, density) {
  const whole = Math.floor(scale * density) / density;
  return whole > 0.75 * scale ? whole : scale;
}

/** A picture at a size of its own that can be zoomed into. */
export class Pane {
  constructor(name) {
    this.name = name;
    this.picture = new Picture(document);
    this.picture.canvas.className = "stn-one-pixels";
    this.tile = element("div.stn-one-tile", {}, this.picture.canvas);
    this.frame = element("div.stn-pane", {}, this.tile);
    this.element = element("figure.stn-one-pane", {}, this.frame, element("figcaption", {}, name));
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
  }
}
