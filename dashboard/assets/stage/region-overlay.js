// How a region is drawn above the pixels: dots at its corners, outline, mesh, trail, control points.
// styles/stage.css has their colours and sizes.

import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { latticeSide } from "../geometry/region-geometry.js";
import { svgElement } from "../ui/dom.js";

/** @import { Lattice, Point } from "../geometry/region-geometry.js" */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box in pixels of the input */

/**
 * The parts of a region that are drawn.
 * @typedef {object} RegionParts
 * @property {Lattice} lattice
 * @property {boolean} mesh whether the lattice's inner lines are drawn
 * @property {Point[]} controlPoints
 * @property {Lattice[]} trail the lattices of earlier steps and the present one
 */

/**
 * A path for each part of a region; "" draws nothing.
 * @typedef {object} RegionPaths
 * @property {string} outline
 * @property {string} square the first corner
 * @property {string} round the other corners
 * @property {string} outsideSquare the first corner again, if it lies beyond the box and is drawn at its edge
 * @property {string} outsideRound those of the others that do
 */

// Pixels of the input: a side whose points are no further from a straight line is drawn as one.
const STRAIGHTNESS_TOLERANCE = 0.02;
// A region's number is on its upper edge, further along for each transformer: at the start of training
// all regions coincide.
const NUMBER_POSITION = 1 / 6;

/**
 * Return a region's outline and corners as path data, in pixels of the input.
 * @param {Lattice} lattice
 * @param {Box} box the visible area; corners beyond it are drawn at its edge
 * @returns {RegionPaths}
 */
export function regionPaths(lattice, box) {
  const sides = latticeSides(lattice);
  if (!sides.flat(2).every(Number.isFinite)) {
    return { outline: "", square: "", round: "", outsideSquare: "", outsideRound: "" };
  }
  const corners = sides.map(([corner]) => clampToBox(corner, box));
  const [square, ...round] = corners.map(({ point }) => dotPath(point));
  const [outsideSquare, ...outsideRound] = corners.map((
    { point, isOutside },
  ) => (isOutside ? dotPath(point) : ""));
  return {
    outline: `${linePath(sides.flatMap(simplifySide))}Z`,
    square,
    round: round.join(""),
    outsideSquare,
    outsideRound: outsideRound.join(""),
  };
}

/**
 * Return a lattice's inner lines as path data. Exported for tests.
 * @param {Lattice} lattice
 */
export function meshPath(lattice) {
  const side = latticeSide(lattice);
  const all = Array.from({ length: side }, (_, index) => index);
  const lines = all.slice(1, -1).flatMap((fixed) => [
    all.map((each) => latticePoint(lattice, fixed, each)),
    all.map((each) => latticePoint(lattice, each, fixed)),
  ]);
  return lines.flat(2).every(Number.isFinite) ? lines.map(linePath).join("") : "";
}

/**
 * Return the trail of each corner as path data. Exported for tests.
 * @param {Lattice[]} lattices of one region, the earliest first
 */
export function trailPath(lattices) {
  if (lattices.length < 2) return "";
  const steps = lattices.map((lattice) => latticeSides(lattice).map(([corner]) => corner));
  if (!steps.flat(2).every(Number.isFinite)) return "";
  return [0, 1, 2, 3].map((index) => linePath(steps.map((corners) => corners[index]))).join("");
}

/**
 * Return points as path data, each a dot.
 * @param {Point[]} points
 */
export const dotsPath = (points) =>
  points
    .filter((point) => point.every(Number.isFinite))
    .map(dotPath)
    .join("");

/**
 * Return a path of no length: it is drawn as its stroke's cap, whose size no scaling changes.
 * @param {Point} point
 */
const dotPath = (point) => `M${pointText(point)}h0`;

/** @param {Point[]} points */
const linePath = (points) => `M${points.map(pointText).join("L")}`;

/**
 * @param {Lattice} lattice
 * @param {number} row
 * @param {number} column
 * @returns {Point}
 */
function latticePoint(lattice, row, column) {
  const offset = 2 * (row * latticeSide(lattice) + column);
  return [lattice[offset], lattice[offset + 1]];
}

/**
 * Return the four sides of a lattice clockwise, each from its corner up to the next one.
 * @param {Lattice} lattice
 */
function latticeSides(lattice) {
  const last = latticeSide(lattice) - 1;
  /** @param {(step: number) => Point} pointOf */
  const side = (pointOf) => Array.from({ length: last }, (_, step) => pointOf(step));
  return [
    side((step) => latticePoint(lattice, 0, step)),
    side((step) => latticePoint(lattice, step, last)),
    side((step) => latticePoint(lattice, last, last - step)),
    side((step) => latticePoint(lattice, last - step, 0)),
  ];
}

/**
 * Return the points that draw a side: its corner alone where the side is straight.
 * @param {Point[]} points
 * @param {number} index of the side
 * @param {Point[][]} sides
 */
function simplifySide(points, index, sides) {
  const [from] = points;
  const [to] = sides[(index + 1) % sides.length];
  const isStraight = points.every((point, step) =>
    point.every((value, axis) => {
      const expected = from[axis] + ((to[axis] - from[axis]) * step) / points.length;
      return Math.abs(value - expected) < STRAIGHTNESS_TOLERANCE;
    })
  );
  return isStraight ? [from] : points;
}

/**
 * Return the point at a share of a lattice's first row.
 * @param {Lattice} lattice
 * @param {number} share
 */
function upperEdgePoint(lattice, share) {
  const last = latticeSide(lattice) - 1;
  const index = Math.min(last - 1, Math.floor(share * last));
  const part = share * last - index;
  return [0, 1].map((axis) => {
    const [from, to] = [lattice[2 * index + axis], lattice[2 * index + 2 + axis]];
    return from + part * (to - from);
  });
}

/**
 * @param {Point} point
 * @param {Box} box
 * @returns {{point: Point, isOutside: boolean}}
 */
function clampToBox([x, y], box) {
  const [insideX, insideY] = [clamp(x, box.left, box.right), clamp(y, box.top, box.bottom)];
  return { point: [insideX, insideY], isOutside: insideX !== x || insideY !== y };
}

/**
 * @param {number} value
 * @param {number} min
 * @param {number} max
 */
const clamp = (value, min, max) => Math.min(max, Math.max(min, value));
/** @param {Point} point */
const pointText = ([x, y]) => `${round(x)},${round(y)}`;
/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;

/** The overlay of one transformer's region above an input image. */
export class RegionOverlay {
  /** @param {number} number of the transformer, from 1, where there are several; else 0 */
  constructor(number = 0) {
    this.element = svgElement("svg", { class: "stn-overlay", "aria-hidden": "true" });
    this.number = number;
    // Each line is drawn twice, dark below white, so that it is seen on any ground.
    const paths = {
      mesh: ["stn-mesh"],
      trail: ["stn-trail stn-halo", "stn-trail stn-line"],
      outline: ["stn-outline stn-halo", "stn-outline stn-line"],
      round: ["stn-round stn-halo", "stn-round stn-line"],
      square: ["stn-square stn-halo", "stn-square stn-line"],
      outsideRound: ["stn-round stn-hollow"],
      outsideSquare: ["stn-square stn-hollow"],
      controls: ["stn-control-point stn-halo", "stn-control-point stn-line"],
    };
    /** @type {Object<string, Element[]>} */
    this.paths = {};
    for (const [part, classes] of Object.entries(paths)) {
      this.paths[part] = classes.map((name) => svgElement("path", { class: name }));
      this.element.append(...this.paths[part]);
    }
    /** @type {Object<string, string>} */
    this.drawn = {};
    /** @type {Element | null} */
    this.label = null;
    if (number) {
      this.element.setAttribute("data-transformer", String(number));
      const label = svgElement("text");
      label.textContent = String(number);
      this.element.append(label);
      this.label = label;
    }
    /** @type {Box} */
    this.box = { left: 0, top: 0, right: 0, bottom: 0 };
  }

  /**
   * Fit the overlay to an input and its margin.
   * @param {number} height of the input
   * @param {number} width of the input
   * @param {number} [labelHeight] as a share of the margin
   */
  fit(height, width, labelHeight = 0.9) {
    const margin = inputMargin(height, width);
    // Dots at the edge keep this distance from it, so that they are not cut in half.
    const inset = margin / 3;
    this.box = {
      left: inset - margin,
      top: inset - margin,
      right: width + margin - inset,
      bottom: height + margin - inset,
    };
    this.element.setAttribute("viewBox", inputViewBox(height, width));
    this.label?.setAttribute("font-size", String(margin * labelHeight));
  }

  /** @param {RegionParts} parts */
  draw({ lattice, mesh, controlPoints, trail }) {
    /** @type {Object<string, string>} */
    const paths = {
      ...regionPaths(lattice, this.box),
      mesh: mesh ? meshPath(lattice) : "",
      controls: dotsPath(controlPoints),
      trail: trailPath(trail),
    };
    for (const [part, data] of Object.entries(paths)) {
      if (data === this.drawn[part]) continue;
      for (const path of this.paths[part]) path.setAttribute("d", data);
    }
    this.drawn = paths;
    if (this.label) this.#placeLabel(this.label, lattice);
  }

  /**
   * @param {Element} label
   * @param {Lattice} lattice
   */
  #placeLabel(label, lattice) {
    const [x, y] = upperEdgePoint(lattice, this.number * NUMBER_POSITION);
    const isFinite = Number.isFinite(x) && Number.isFinite(y);
    const outside = -1e4; // where it is not seen
    const { left, top, right, bottom } = this.box;
    label.setAttribute("x", String(isFinite ? round(clamp(x, left, right)) : outside));
    label.setAttribute("y", String(isFinite ? round(clamp(y, top, bottom)) : outside));
  }
}
