// Pixels onto a canvas, and how large tiles may be. Knows nothing of where frames come from.

// CSS pixels: pairs lower than this are too small to be looked at.
const READABLE = 104;
// In hundredths, how large a data pixel may be drawn.
const LARGEST = 1600;

/** Ground around the input, in its pixels, on which a region beyond its edge can be seen. */
export const marginOf = (height, width) => Math.round(Math.max(height, width) / 6);

/** An SVG's view box for a drawing above an input and that ground, in the input's pixels. */
export function viewBoxOf(height, width) {
  const margin = marginOf(height, width);
  return [-margin, -margin, width + 2 * margin, height + 2 * margin].join(" ");
}

/** One image at its own resolution. Seen where its element is, on the surface that it is laid on. */
export class Picture {
  constructor(document) {
    this.element = document.createElement("div");
    this.element.className = "stn-pixels";
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.changed = false; // since it was drawn last
  }

  /**
   * Takes another image; it is seen when the surface is drawn.
   * @param {Uint8Array} pixels height x width x channels, 1 (gray) or 3 (colour)
   */
  show(pixels, [height, width, channels]) {
    if (this.image?.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.context.createImageData(width, height);
    }
    fillOpaque(new Uint32Array(this.image.data.buffer), pixels, channels);
    this.context.putImageData(this.image, 0, 0);
    this.changed = true;
  }
}

/**
 * The canvas of a stage, at the screen's resolution, with all its pictures: a canvas for each of them
 * would be a layer each, which costs a browser without a graphics card most of its time.
 */
export class Surface {
  constructor(document) {
    this.element = document.createElement("canvas");
    this.element.className = "stn-surface";
    this.context = this.element.getContext("2d");
    this.places = [];
  }

  /**
   * Lays pictures where their elements stand now, and draws those that show something.
   * @param {Picture[]} pictures whose elements stand in `room`, which has the surface at its corner
   * @param {number} density screen pixels for each CSS pixel
   */
  lay(pictures, room, density) {
    const all = room.getBoundingClientRect();
    const at = (value) => Math.round(value * density);
    this.element.width = at(all.width);
    this.element.height = at(all.height);
    this.element.style.width = `${this.element.width / density}px`;
    this.element.style.height = `${this.element.height / density}px`;
    this.places = pictures.map((picture) => {
      const { left, top, width, height } = picture.element.getBoundingClientRect();
      const [x, y] = [at(left - all.left), at(top - all.top)];
      return { picture, box: [x, y, at(width), at(height)] };
    });
    this.#draw(({ image }) => image);
  }

  /** Draws the pictures that have changed; the others stand as they are. */
  draw() {
    this.#draw(({ changed }) => changed);
  }

  #draw(wanted) {
    this.context.imageSmoothingEnabled = false;
    for (const { picture, box } of this.places) {
      if (!wanted(picture)) continue;
      this.context.drawImage(picture.canvas, ...box);
      picture.changed = false;
    }
  }
}

// One 32-bit write a pixel; browsers run on little-endian machines, so bytes stand as ABGR.
function fillOpaque(target, pixels, channels) {
  if (channels === 1) {
    for (let i = 0; i < target.length; i++) target[i] = 0xff000000 | (pixels[i] * 0x010101);
    return;
  }
  for (let i = 0, j = 0; i < target.length; i++, j += channels) {
    target[i] = 0xff000000 | (pixels[j + 2] << 16) | (pixels[j + 1] << 8) | pixels[j];
  }
}

/**
 * How many pairs stand side by side, and how large a data pixel of the input is drawn.
 *
 * A whole number of screen pixels for each data pixel, where little is lost by it, so that every
 * pixel of a picture is equally large. Of layouts that make the tiles equally large, the one with the
 * fewest rows.
 * @param {{count: number, width: number, height: number, pair: (scale: number) => {width: number,
 *   height: number}, gap: number, density: number}} room pair: a pair's size, caption and all, at
 *   a scale; everything in CSS pixels; density: screen pixels for each of those; least: the lowest
 *   that pairs may be before the page rather grows longer
 */
export function fit({ count, width, height, pair, gap, density, least = READABLE }) {
  const within = (columns, limit) => (scale) => {
    const size = pair(scale);
    const rows = Math.ceil(count / columns);
    const across = columns * size.width + (columns - 1) * gap;
    return across <= width && rows * size.height + (rows - 1) * gap <= limit;
  };
  const rows = ({ columns }) => Math.ceil(count / columns);
  const layouts = (limit) =>
    Array.from({ length: count }, (_, index) => {
      const scale = largest(within(index + 1, limit));
      const whole = Math.floor(scale * density) / density;
      return { columns: index + 1, scale: whole > 0.8 * scale ? whole : scale };
    });
  const better = (one, other) =>
    other.scale > one.scale || (other.scale === one.scale && rows(other) < rows(one)) ? other : one;
  const readable = ({ scale }) => pair(scale).height >= least;
  const best = layouts(height).reduce(better);
  if (readable(best)) return best;
  // A page can be scrolled: rather than press its pairs together, it grows longer.
  return layouts(Infinity).filter(readable).at(-1) ?? layouts(Infinity)[0];
}

// The largest scale that fits, to a hundredth; what fits at one, fits at all smaller ones.
function largest(fits) {
  let [least, most] = [1, LARGEST];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (fits(middle / 100)) least = middle;
    else most = middle - 1;
  }
  return least / 100;
}

/** The size of an image that fills `height`, or a little less where all its pixels are equal then. */
export function sharp(height, [rows, columns], density) {
  const scale = height / rows;
  const whole = Math.floor(scale * density) / density;
  const used = whole > 0.85 * scale ? whole : scale;
  return { height: rows * used, width: columns * used };
}
