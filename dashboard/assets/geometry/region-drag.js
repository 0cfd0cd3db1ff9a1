// Where a region's corners are after it was dragged, as far as its family allows, so that the dragged
// corner stays under the pointer. Corners are points [x, y] in pixels of the input, clockwise from the
// output's top left. Pure.

import { latticeSide } from "./region-geometry.js";

/** @import { DegreeOfFreedom } from "../protocol/types.js" */
/** @import { Lattice, Point } from "./region-geometry.js" */

/** @type {Object<string, Point>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
// Pixels that an arrow key moves with shift.
const LARGE_STEP = 5;
// Pixels: a corner nearer to the fixed point than this defines no direction and no scale.
const MIN_RADIUS = 1e-6;

/**
 * Return the corners of a lattice.
 * @param {Lattice} lattice
 * @returns {Point[]}
 */
export function latticeCorners(lattice) {
  const side = latticeSide(lattice);
  const last = side - 1;
  return [0, last, side * side - 1, side * last].map(
    (index) => [lattice[2 * index], lattice[2 * index + 1]],
  );
}

/**
 * Return how far a key moves the focused corner or region, in pixels; null for other keys.
 * @param {{key: string, shiftKey: boolean}} event
 * @returns {Point | null}
 */
export function keyOffset({ key, shiftKey }) {
  const direction = DIRECTIONS[key];
  if (!direction) return null;
  const step = shiftKey ? LARGE_STEP : 1;
  return [step * direction[0], step * direction[1]];
}

/**
 * Return the corners of a region that was moved as a whole.
 * @param {Point[]} corners
 * @param {Point} offset
 */
export const moveRegion = (corners, offset) => corners.map((corner) => add(corner, offset));

/**
 * Return the corners of a region of which one corner was moved.
 *
 * Where each corner can be set, the others stay. Else the opposite corner stays, or the region's
 * centre where it cannot be translated.
 * @param {DegreeOfFreedom[]} degreesOfFreedom what dragging can set in the region's family
 * @param {Point[]} corners
 * @param {number} index of the corner that is moved
 * @param {Point} offset
 * @returns {Point[]}
 */
export function moveCorner(degreesOfFreedom, corners, index, offset) {
  const can = new Set(degreesOfFreedom);
  const target = add(corners[index], offset);
  const moved = corners.map((corner, cornerIndex) => (cornerIndex === index ? target : corner));
  if (can.has("corners")) return moved;
  const opposite = (index + 2) % 4;
  if (can.has("shear")) {
    // A parallelogram: each neighbour moves half as far.
    const half = scale(offset, 0.5);
    return moved.map((corner, cornerIndex) =>
      cornerIndex === index || cornerIndex === opposite ? corner : add(corner, half)
    );
  }
  if (!can.has("scale") && !can.has("rotation")) return moveRegion(corners, offset);
  const pivot = can.has("translation") ? corners[opposite] : centre(corners);
  const from = subtract(corners[index], pivot);
  const similarity = similarityBetween(from, subtract(target, pivot), can);
  if (!similarity) return moved;
  return corners.map((corner) => add(pivot, multiply(subtract(corner, pivot), similarity)));
}

/**
 * Return which theta and corners a request sets: the corners of regions that were dragged, and the
 * theta of those that were set before. The network predicts the others.
 * @param {{name: string, given: boolean, theta: number[], requested: Point[] | null}[]} regions `given`
 *   if theta was set before; `requested` are the dragged corners
 * @returns {{theta: Object<string, number[]>, corners: Object<string, Point[]>}} by transformer
 */
export function thetaOverride(regions) {
  /** @type {Object<string, number[]>} */
  const theta = {};
  /** @type {Object<string, Point[]>} */
  const corners = {};
  for (const region of regions) {
    if (region.requested) corners[region.name] = region.requested;
    else if (region.given) theta[region.name] = region.theta;
  }
  return { theta, corners };
}

/**
 * Return the rotation and scaling that map one vector to another, as a complex number: the closest
 * allowed ones, null where they are undefined.
 * @param {Point} from
 * @param {Point} to
 * @param {Set<DegreeOfFreedom>} can
 * @returns {Point | null}
 */
function similarityBetween(from, to, can) {
  const square = from[0] ** 2 + from[1] ** 2;
  if (square < MIN_RADIUS ** 2) return null;
  const real = (from[0] * to[0] + from[1] * to[1]) / square;
  const imaginary = (from[0] * to[1] - from[1] * to[0]) / square;
  if (!can.has("rotation")) return [real, 0];
  if (can.has("scale")) return [real, imaginary];
  const length = Math.hypot(real, imaginary);
  return length < MIN_RADIUS ? null : [real / length, imaginary / length];
}

/** @param {Point} a @param {Point} b @returns {Point} */
const add = (a, b) => [a[0] + b[0], a[1] + b[1]];
/** @param {Point} a @param {Point} b @returns {Point} */
const subtract = (a, b) => [a[0] - b[0], a[1] - b[1]];
/** @param {Point} point @param {number} factor @returns {Point} */
const scale = ([x, y], factor) => [factor * x, factor * y];
/** Multiply complex numbers. @param {Point} a @param {Point} b @returns {Point} */
const multiply = ([x, y], [real, imaginary]) => [
  real * x - imaginary * y,
  imaginary * x + real * y,
];
/** @param {Point[]} corners */
const centre = (corners) => scale(corners.reduce(add), 1 / corners.length);
