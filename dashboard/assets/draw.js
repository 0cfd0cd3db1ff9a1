// Pixels onto a canvas, regions into an overlay above it, and how large tiles may be.
// Knows nothing of where frames come from.

const SVG = "http://www.w3.org/2000/svg";

// Pixels of the input: a side whose points lie no further from a line is one.
const STRAIGHT = 0.02;
// CSS pixels: pairs lower than this are too small to be looked at.
const READABLE = 104;

/** Ground around the input, in its pixels, on which a region beyond its edge can be seen. */
export const marginOf = (height, width) => Math.round(Math.max(height, width) / 6);

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
 * A region as path data in the input's pixels.
 * @param {ArrayLike<number>} lattice x, y of its points row by row, as many in each row as there are
 *   rows; its corners are the region's, the first being the output's top left
 * @param {{left: number, top: number, right: number, bottom: number}} box what can be seen
 * @returns {{outline: string, square: string, round: string, farSquare: string, farRound: string}}
 *   the edge; the first corner; the others; and those of each that lie beyond the box, which stand
 *   at its edge
 */
export function region(lattice, box) {
  const sides = sidesOf(lattice);
  if (!sides.flat(2).every(Number.isFinite)) {
    return { outline: "", square: "", round: "", farSquare: "", farRound: "" };
  }
  const marks = sides.map(([corner]) => mark(corner, box));
  const far = marks.map((each) => (each.far ? each.path : ""));
  return {
    outline: `M${sides.flatMap(course).map(coordinates).join("L")}Z`,
    square: marks[0].path,
    round: marks
      .slice(1)
      .map((each) => each.path)
      .join(""),
    farSquare: far[0],
    farRound: far.slice(1).join(""),
  };
}

// The four sides of a lattice clockwise, each from its corner to before the next one.
function sidesOf(lattice) {
  const side = Math.sqrt(lattice.length / 2);
  const end = side - 1;
  const point = (row, column) => {
    const at = 2 * (row * side + column);
    return [lattice[at], lattice[at + 1]];
  };
  const along = (place) => Array.from({ length: end }, (_, step) => place(step));
  return [
    along((step) => point(0, step)),
    along((step) => point(step, end)),
    along((step) => point(end, end - step)),
    along((step) => point(end - step, 0)),
  ];
}

// The point at a share of a lattice's first row.
function pointAlong(lattice, share) {
  const end = Math.sqrt(lattice.length / 2) - 1;
  const from = Math.min(end - 1, Math.floor(share * end));
  const part = share * end - from;
  return [0, 1].map((axis) => {
    const [one, other] = [lattice[2 * from + axis], lattice[2 * from + 2 + axis]];
    return one + part * (other - one);
  });
}

// A side's points, or its corner alone where it is straight.
function course(points, index, sides) {
  const [from] = points;
  const [to] = sides[(index + 1) % sides.length];
  const straight = points.every((point, step) =>
    point.every((value, axis) => {
      const even = from[axis] + ((to[axis] - from[axis]) * step) / points.length;
      return Math.abs(value - even) < STRAIGHT;
    }),
  );
  return straight ? [from] : points;
}

function mark([x, y], box) {
  const inside = [clamp(x, box.left, box.right), clamp(y, box.top, box.bottom)];
  // A path of no length is drawn as its stroke's cap alone: a dot whose size no scaling changes.
  return { path: `M${coordinates(inside)}h0`, far: inside[0] !== x || inside[1] !== y };
}

const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
const coordinates = ([x, y]) => `${round(x)},${round(y)}`;
const round = (value) => Math.round(value * 100) / 100;

/** The overlay of one input tile. Dark below white, so that it shows on any ground. */
export class Overlay {
  /** @param {number} place of the transformer, from 1, where it is one of several; else 0 */
  constructor(document, place = 0) {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "stn-overlay");
    if (place) {
      this.element.dataset.place = place;
      this.place = place;
      this.number = document.createElementNS(SVG, "text");
      this.number.textContent = place;
    }
    this.element.setAttribute("aria-hidden", "true");
    this.parts = {};
    for (const part of ["outline", "round", "square"]) {
      this.parts[part] = ["halo", "line"].map((layer) => this.#path(`stn-${part} stn-${layer}`));
    }
    for (const part of ["farRound", "farSquare"]) {
      this.parts[part] = [this.#path(`stn-${part === "farRound" ? "round" : "square"} stn-hollow`)];
    }
    if (this.number) this.element.append(this.number);
  }

  /** Fits the overlay to an input of this size and the margin around it. */
  fit(height, width) {
    const margin = marginOf(height, width);
    // Marks at the edge keep this distance from it, so that they are not cut in half.
    const inset = margin / 3;
    this.box = {
      left: inset - margin,
      top: inset - margin,
      right: width + margin - inset,
      bottom: height + margin - inset,
    };
    const sides = [width + 2 * margin, height + 2 * margin];
    this.element.setAttribute("viewBox", `${-margin} ${-margin} ${sides.join(" ")}`);
    this.number?.setAttribute("font-size", margin * 0.9);
  }

  show(lattice) {
    const shown = region(lattice, this.box);
    for (const [part, data] of Object.entries(shown)) {
      if (data === this.shown?.[part]) continue;
      for (const path of this.parts[part]) path.setAttribute("d", data);
    }
    if (this.number) this.#name(lattice);
    this.shown = shown;
  }

  // Writes the number on the upper edge, each in a place of its own: at the start all regions are one.
  #name(lattice) {
    const share = this.place / 6;
    const [x, y] = pointAlong(lattice, share);
    const known = Number.isFinite(x) && Number.isFinite(y);
    this.number.setAttribute("x", known ? round(clamp(x, this.box.left, this.box.right)) : -1e4);
    this.number.setAttribute("y", known ? round(clamp(y, this.box.top, this.box.bottom)) : -1e4);
  }

  #path(name) {
    const path = this.element.ownerDocument.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    return this.element.appendChild(path);
  }
}

/**
 * How many pairs stand side by side, and how large a data pixel of the input is drawn.
 *
 * Takes the columns that make the tiles largest; then, where little is lost by it, a whole number
 * of screen pixels for each data pixel, so that every pixel of a picture is equally large.
 * @param {{count: number, width: number, height: number, pair: (scale: number) => {width: number,
 *   height: number}, gap: number, density: number}} room pair: a pair's size, caption and all, at
 *   a scale; everything in CSS pixels; density: screen pixels for each of those
 */
export function fit({ count, width, height, pair, gap, density }) {
  const within = (columns, limit) => (scale) => {
    const size = pair(scale);
    const rows = Math.ceil(count / columns);
    const across = columns * size.width + (columns - 1) * gap;
    return across <= width && rows * size.height + (rows - 1) * gap <= limit;
  };
  const layouts = (limit) =>
    Array.from({ length: count }, (_, index) => ({
      columns: index + 1,
      scale: largest(within(index + 1, limit)),
    }));
  const readable = ({ scale }) => pair(scale).height >= READABLE;
  let best = layouts(height).reduce((one, other) => (other.scale > one.scale ? other : one));
  // A page can be scrolled: rather than press its pairs together, it grows longer.
  if (!readable(best)) best = layouts(Infinity).filter(readable).at(-1) ?? layouts(Infinity)[0];
  const whole = Math.floor(best.scale * density) / density;
  return { columns: best.columns, scale: whole > 0.8 * best.scale ? whole : best.scale };
}

// The largest scale that fits, to a hundredth, whole numbers among those tried.
function largest(fits) {
  for (let hundredths = 1600; hundredths > 0; hundredths -= 1) {
    if (fits(hundredths / 100)) return hundredths / 100;
  }
  return 0.01;
}

/** The size of an image that fills `height`, or a little less where all its pixels are equal then. */
export function sharp(height, [rows, columns], density) {
  const scale = height / rows;
  const whole = Math.floor(scale * density) / density;
  const used = whole > 0.85 * scale ? whole : scale;
  return { height: rows * used, width: columns * used };
}
