// Regions above the pixels: path data from lattices, and the overlay that shows it. Knows nothing of
// where frames come from.

import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { sideOf } from "../geometry/region-geometry.js";

const SVG = "http://www.w3.org/2000/svg";

// Pixels of the input: a side whose points lie no further from a line is one.
const STRAIGHT = 0.02;

/**
 * A region as path data in the input's pixels.
 * @param {ArrayLike<number>} lattice x, y of its points row by row, as many in each row as there are
 *   rows; its corners are the region's, the first being the output's top left
 * @param {{left: number, top: number, right: number, bottom: number}} box what can be seen
 * @returns {{outline: string, square: string, round: string, farSquare: string, farRound: string}}
 *   the edge; the first corner; the others; and those of each that lie beyond the box, which stand
 *   at its edge
 */
export function regionPaths(lattice, box) {
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

/** The lines of a lattice within its edge, as path data. */
// Exported for tests.
export function meshPath(lattice) {
  const side = sideOf(lattice);
  const inner = Array.from({ length: side - 2 }, (_, index) => index + 1);
  const point = (row, column) => {
    const at = 2 * (row * side + column);
    return [lattice[at], lattice[at + 1]];
  };
  const line = (place) => Array.from({ length: side }, (_, step) => place(step));
  const lines = inner.flatMap((fixed) => [
    line((step) => point(fixed, step)),
    line((step) => point(step, fixed)),
  ]);
  if (!lines.flat(2).every(Number.isFinite)) return "";
  return lines.map((points) => `M${points.map(coordinates).join("L")}`).join("");
}

/**
 * The way that each corner has come, as path data.
 * @param {ArrayLike<number>[]} lattices of one region, the earliest first
 */
// Exported for tests.
export function trailPath(lattices) {
  if (lattices.length < 2) return "";
  const ways = lattices.map((lattice) => sidesOf(lattice).map(([corner]) => corner));
  if (!ways.flat(2).every(Number.isFinite)) return "";
  return [0, 1, 2, 3]
    .map((corner) => `M${ways.map((corners) => coordinates(corners[corner])).join("L")}`)
    .join("");
}

/** Points as path data, each a dot. */
export const dotsPath = (points) =>
  points
    .filter((point) => point.every(Number.isFinite))
    .map((point) => `M${coordinates(point)}h0`)
    .join("");

// The four sides of a lattice clockwise, each from its corner to before the next one.
function sidesOf(lattice) {
  const side = sideOf(lattice);
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
  const end = sideOf(lattice) - 1;
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
    })
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
export class RegionOverlay {
  /** @param {number} place of the transformer, from 1, where it is one of several; else 0 */
  constructor(document, place = 0) {
    this.element = document.createElementNS(SVG, "svg");
    this.element.setAttribute("class", "stn-overlay");
    if (place) {
      this.element.dataset.transformer = place;
      this.place = place;
      this.number = document.createElementNS(SVG, "text");
      this.number.textContent = place;
    }
    this.element.setAttribute("aria-hidden", "true");
    this.parts = { mesh: [this.#path("stn-mesh")] };
    for (const part of ["trail", "outline", "round", "square"]) {
      this.parts[part] = ["halo", "line"].map((layer) => this.#path(`stn-${part} stn-${layer}`));
    }
    for (const part of ["farRound", "farSquare"]) {
      this.parts[part] = [this.#path(`stn-${part === "farRound" ? "round" : "square"} stn-hollow`)];
    }
    this.parts.controls = [this.#path("stn-control stn-halo"), this.#path("stn-control stn-line")];
    if (this.number) this.element.append(this.number);
  }

  /**
   * Fits the overlay to an input of this size and the margin around it.
   * @param {number} [number] how high its number is, as a share of that margin
   */
  fit(height, width, number = 0.9) {
    const margin = inputMargin(height, width);
    // Marks at the edge keep this distance from it, so that they are not cut in half.
    const inset = margin / 3;
    this.box = {
      left: inset - margin,
      top: inset - margin,
      right: width + margin - inset,
      bottom: height + margin - inset,
    };
    this.element.setAttribute("viewBox", inputViewBox(height, width));
    this.number?.setAttribute("font-size", margin * number);
  }

  /**
   * Shows a region.
   * @param {ArrayLike<number>} lattice
   * @param {{inner?: boolean, controls?: number[][], way?: ArrayLike<number>[]}} more whether the
   *   lattice's lines are shown; control points; the lattices that came before, and this one
   */
  draw(lattice, { inner = false, controls = [], way = [] } = {}) {
    const shown = {
      ...regionPaths(lattice, this.box),
      mesh: inner ? meshPath(lattice) : "",
      controls: dotsPath(controls),
      trail: trailPath(way),
    };
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
