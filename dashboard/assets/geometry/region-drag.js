// Where a region's corners go when it is dragged: four points [x, y] in pixels of the input, clockwise
// from the output's top left. As far as the family can, so that what is held stays under the pointer. Pure.

import { sideOf } from "./region-geometry.js";

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 5;
const BENT = /^(projective|spline)/;
// Pixels: a corner so near what stays in place cannot be turned or stretched about it.
const NEAR = 1e-6;

/** The corners of a lattice. */
export function cornersOf(lattice) {
  const side = sideOf(lattice);
  const end = side - 1;
  return [0, end, side * side - 1, side * end].map((at) => [lattice[2 * at], lattice[2 * at + 1]]);
}

/** How far a key moves what it is pressed on, in pixels of the input; null where it moves nothing. */
export function offsetOfKey({ key, shiftKey }) {
  const move = MOVES[key];
  return move ? move.map((step) => (shiftKey ? FAR : 1) * step) : null;
}

/** The whole region moved by [x, y]. */
export const moveRegion = (corners, by) => corners.map((corner) => plus(corner, by));

/**
 * One corner moved, and the others as the family asks: of a bent one they stay; else the opposite
 * one stays, or the region's middle where it cannot be shifted.
 * @param {string} family
 * @param {number} index of the corner
 * @param {number[]} by pixels of the input, [x, y]
 */
export function moveCorner(family, corners, index, by) {
  const target = plus(corners[index], by);
  const alone = corners.map((corner, place) => (place === index ? target : corner));
  if (BENT.test(family)) return alone;
  if (family === "affine") {
    // A parallelogram: the neighbours share the way.
    const half = by.map((step) => step / 2);
    return corners.map((corner, place) =>
      place === index ? target : place === (index + 2) % 4 ? corner : plus(corner, half)
    );
  }
  const can = new Set(family === "attention" ? ["scale", "translation"] : family.split("-"));
  if (!can.has("scale") && !can.has("rotation")) return moveRegion(corners, by);
  const pivot = can.has("translation") ? corners[(index + 2) % 4] : middleOf(corners);
  const turn = turnOf(minus(corners[index], pivot), minus(target, pivot), can);
  if (!turn) return alone;
  return corners.map((corner) => plus(pivot, times(minus(corner, pivot), turn)));
}

/**
 * What transformers are to be told: those that are dragged their corners, those that were told
 * before their theta once more; the others choose for themselves.
 * @param {{name: string, given: boolean, theta: number[], wanted: number[][] | null}[]} regions
 */
export function thetaOverride(regions) {
  const dragged = regions.filter(({ wanted }) => wanted);
  const kept = regions.filter(({ given, wanted }) => given && !wanted);
  return {
    theta: Object.fromEntries(kept.map(({ name, theta }) => [name, theta])),
    corners: Object.fromEntries(dragged.map(({ name, wanted }) => [name, wanted])),
  };
}

// What turns and stretches one vector into another as far as that is allowed, as a complex number.
function turnOf(from, to, can) {
  const square = from[0] ** 2 + from[1] ** 2;
  if (square < NEAR ** 2) return null;
  const along = (from[0] * to[0] + from[1] * to[1]) / square;
  const across = (from[0] * to[1] - from[1] * to[0]) / square;
  if (!can.has("rotation")) return [along, 0];
  const length = Math.hypot(along, across);
  if (can.has("scale")) return [along, across];
  return length < NEAR ? null : [along / length, across / length];
}

const plus = (one, other) => one.map((value, axis) => value + other[axis]);
const minus = (one, other) => one.map((value, axis) => value - other[axis]);
const times = ([x, y], [a, b]) => [a * x - b * y, b * x + a * y];
const middleOf = (corners) =>
  [0, 1].map((axis) => corners.reduce((sum, c) => sum + c[axis], 0) / 4);
