// Pictures at sizes of their own, side by side, that can be zoomed into.

import { element } from "../ui/dom.js";
import { Picture } from "./canvas.js";

// CSS pixels: between them, and below each for its caption; as in styles/sights.css.
export const GAP = 12;
export const CAPTION = 22;
// Windows below this width are scrolled anyway; in others what has too little room scrolls by itself.
export const NARROW = 700;

/**
 * How large an input and its outputs are drawn: as large as fits, with whole numbers of screen
 * pixels for each data pixel, where that costs little. Several outputs stand in rows and columns, no
 * higher than their input.
 * @param {{width: number, height: number}} room in CSS pixels, captions left out
 * @param {number[]} input its rows and columns, with what is around it
 * @param {number[][]} outputs the rows and columns of each
 * @param {number} density screen pixels for each CSS pixel
 * @returns {{scale: number, columns: number, sizes: number[][]}} CSS pixels for each of the input's;
 *   how many outputs stand side by side; the height and width of each
 */
export function panesWithin({ width, height }, [rows, columns], outputs, density) {
  const each = 1 / density;
  for (const scale of scales(each)) {
    if (scale * rows > height) continue;
    // An output may be a little smaller than its input, where that lets both be larger.
    const layouts = outputsBeside(scale * rows, outputs, density).flatMap((beside) =>
      [0, each].map((less) => ({ scale, ...smaller(beside, outputs, less) }))
    );
    const fitting = layouts.filter((layout) => scale * columns + layout.width <= width);
    if (fitting.length) {
      return fitting.reduce((one, other) => (other.area > one.area ? other : one));
    }
  }
  return {
    scale: SMALLEST,
    columns: 1,
    sizes: outputs.map((shape) => shape.map((side) => SMALLEST * side)),
  };
}

// Outputs in every number of columns, as large as they can be without being higher than `height`.
function outputsBeside(height, outputs, density) {
  if (!outputs.length) return [{ columns: 0, scales: [] }];
  return outputs.map((_, before) => {
    const columns = before + 1;
    const rows = Math.ceil(outputs.length / columns);
    const side = (height - (rows - 1) * (GAP + CAPTION)) / rows;
    return {
      columns,
      scales: outputs.map(([high]) => wholeScale(Math.max(side, 1) / high, density)),
    };
  });
}

function smaller({ columns, scales }, outputs, less) {
  const sizes = outputs.map((shape, place) => {
    const scale = scales[place] > 4 ? scales[place] - less : scales[place];
    return [scale * shape[0], scale * shape[1]];
  });
  const widest = Array(columns).fill(0);
  sizes.forEach(([, wide], place) => {
    widest[place % columns] = Math.max(widest[place % columns], wide);
  });
  const width = widest.reduce((sum, wide) => sum + GAP + wide, 0);
  const area = sizes.reduce((sum, [high, wide]) => sum + high * wide, 0);
  return { columns, sizes, width, area };
}

const LARGEST = 32;
const SMALLEST = 0.05;

function* scales(each) {
  for (let scale = LARGEST; scale >= 1; scale -= each) yield scale;
  for (let scale = 1; scale > SMALLEST; scale -= SMALLEST) yield scale;
}

/** A scale with whole numbers of screen pixels for each data pixel, where little is lost by it. */
export function wholeScale(scale, density) {
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
    this.onscroll = () => {}; // called with what is in the middle, in shares of the picture's sides
    this.frame.onscroll = () => this.#tell();
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
