// Sampling grids: where theta samples the points of an output, for every family of transformers. The same
// numbers as models/grid.py and models/families.py, in float64. Pure.
//
// Points are x, y of one after another. They are normalised: -1 and 1 are the outer edges of the first
// and last pixel, or with `alignCorners` their centres. In pixels, 0 is the outer edge of the first pixel.

/** @import { FamilyEntry } from "../protocol/types.js" */

/**
 * What a family's theta means: exactly one of the three is given.
 * @typedef {Pick<FamilyEntry, "theta_labels" | "theta_matrix" | "control_points">} ThetaShape
 */

/** @typedef {ArrayLike<number>} Points x, y of each, one after another */

/** The shape of a 2x3 matrix, row by row. @type {ThetaShape} */
export const MATRIX_2X3 = { theta_labels: [], theta_matrix: [2, 3], control_points: null };

/** Points along each side of a frame's grids. */
export const LATTICE_SIDE = 7;

/** @type {Record<string, number>} */
const IDENTITIES = { angle: 0, s: 1, scale: 1, tx: 0, ty: 0 };
// Minimum depth of a projection: those nearer to 0 are moved to it, as in models/inverse_fit.py.
const HORIZON = 1e-3;

/**
 * Return the theta that samples the whole input upright.
 * @param {ThetaShape} family
 * @returns {number[]}
 */
export function identityTheta({ theta_matrix, control_points, theta_labels }) {
  if (theta_matrix) return [1, 0, 0, 0, 1, 0, ...(theta_matrix[0] === 3 ? [0, 0] : [])];
  if (control_points) return [...latticePoints(control_points)];
  return theta_labels.map((label) => IDENTITIES[label]);
}

/**
 * Return `side` x `side` points from edge to edge, row by row.
 * @param {number} side
 */
export function latticePoints(side) {
  return gridOf(side, side, (index) => (2 * index) / (side - 1) - 1);
}

/**
 * Return the normalised coordinate of a pixel's centre.
 * @param {number} index of the pixel
 * @param {number} size number of pixels along the side
 * @param {boolean} [alignCorners]
 */
export const pixelCoordinate = (index, size, alignCorners = false) =>
  alignCorners ? (2 * index) / (size - 1) - 1 : (2 * index + 1) / size - 1;

/**
 * Return the centres of an image's pixels, row by row, normalised.
 * @param {number} height
 * @param {number} width
 * @param {boolean} [alignCorners]
 */
export const pixelCentres = (height, width, alignCorners = false) =>
  gridOf(height, width, (index, size) => pixelCoordinate(index, size, alignCorners));

/**
 * @param {number} height
 * @param {number} width
 * @param {(index: number, size: number) => number} coordinate
 */
function gridOf(height, width, coordinate) {
  const points = new Float64Array(2 * height * width);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      points[at++] = coordinate(column, width);
      points[at++] = coordinate(row, height);
    }
  }
  return points;
}

/**
 * Convert a normalised coordinate to pixels.
 * @param {number} coordinate
 * @param {number} size number of pixels along the side
 * @param {boolean} [alignCorners]
 */
export const toPixel = (coordinate, size, alignCorners = false) =>
  alignCorners ? ((coordinate + 1) / 2) * (size - 1) + 0.5 : ((coordinate + 1) / 2) * size;

/**
 * Convert normalised points to pixels of an image.
 * @param {Points} points
 * @param {number[]} shape height and width of the image
 * @param {boolean} [alignCorners]
 */
export function toPixels(points, [height, width], alignCorners = false) {
  return Float64Array.from(
    points,
    (value, index) => toPixel(value, index % 2 ? height : width, alignCorners),
  );
}

/**
 * Map points of the output to points of the input.
 * @param {ThetaShape} family
 * @param {ArrayLike<number>} theta
 * @param {Points} points normalised
 * @param {number} [aspect] the input's width divided by its height
 */
export function warpPoints(family, theta, points, aspect = 1) {
  const { theta_matrix, control_points, theta_labels } = family;
  if (control_points) return warpBySpline(theta, points, control_points);
  const isProjection = theta_matrix?.[0] === 3;
  const map = theta_matrix ? theta : restrictedMatrix(theta_labels, theta, aspect);
  const [a, b, c, d, e, f] = Array.from(map);
  const [g, h] = isProjection ? [theta[6], theta[7]] : [0, 0];
  const warped = new Float64Array(points.length);
  for (let at = 0; at < points.length; at += 2) {
    const [x, y] = [points[at], points[at + 1]];
    const depth = isProjection ? depthAt(g * x + h * y + 1) : 1;
    warped[at] = (a * x + b * y + c) / depth;
    warped[at + 1] = (d * x + e * y + f) / depth;
  }
  return warped;
}

/** @param {number} depth */
const depthAt = (depth) => Math.abs(depth) < HORIZON ? (depth < 0 ? -HORIZON : HORIZON) : depth;

/**
 * Return the 2x3 matrix of a family whose numbers have names: first rotation, then scale, then translation.
 * @param {string[]} labels
 * @param {ArrayLike<number>} theta
 * @param {number} aspect
 */
function restrictedMatrix(labels, theta, aspect) {
  const named = { ...IDENTITIES };
  labels.forEach((label, index) => (named[label] = theta[index]));
  const scale = named.s * named.scale;
  const [cosine, sine] = [Math.cos(named.angle), Math.sin(named.angle)];
  return [
    scale * cosine,
    (-scale * sine) / aspect,
    named.tx,
    scale * sine * aspect,
    scale * cosine,
    named.ty,
  ];
}

/**
 * @param {ArrayLike<number>} theta the control points' positions in the input
 * @param {Points} points
 * @param {number} side control points along a side
 */
function warpBySpline(theta, points, side) {
  const controls = latticePoints(side);
  const weights = splineWeights(points, side);
  const count = side * side;
  const warped = Float64Array.from(points);
  for (let at = 0; at < points.length; at += 2) {
    for (let control = 0; control < count; control++) {
      const weight = weights[(at / 2) * count + control];
      warped[at] += weight * (theta[2 * control] - controls[2 * control]);
      warped[at + 1] += weight * (theta[2 * control + 1] - controls[2 * control + 1]);
    }
  }
  return warped;
}

/** @type {WeakMap<object, Map<number, Float64Array>>} */
const knownWeights = new WeakMap(); // by points, then by side
/** @type {Map<number, number[][]>} */
const knownSolutions = new Map(); // by side

/**
 * Return the weight of each control point's shift at each point: the interpolating thin plate spline of
 * Bookstein, 1989.
 * @param {Points} points
 * @param {number} side
 */
function splineWeights(points, side) {
  const known = knownWeights.get(points)?.get(side);
  if (known) return known;
  const controls = latticePoints(side);
  const count = side * side;
  const solution = knownSolutions.get(side) ?? solveSpline(controls);
  knownSolutions.set(side, solution);
  const weights = new Float64Array((points.length / 2) * count);
  for (let at = 0; at < points.length; at += 2) {
    const basis = splineBasis(points[at], points[at + 1], controls);
    for (let control = 0; control < count; control++) {
      let sum = 0;
      for (let row = 0; row < basis.length; row++) sum += basis[row] * solution[row][control];
      weights[(at / 2) * count + control] = sum;
    }
  }
  const bySide = knownWeights.get(points) ?? new Map();
  knownWeights.set(points, bySide.set(side, weights));
  return weights;
}

/**
 * Return r^2 log r^2 for the distances r to the control points, then 1, x, y.
 * @param {number} x
 * @param {number} y
 * @param {Points} controls
 */
function splineBasis(x, y, controls) {
  const basis = [];
  for (let at = 0; at < controls.length; at += 2) {
    const squared = (x - controls[at]) ** 2 + (y - controls[at + 1]) ** 2;
    basis.push(squared === 0 ? 0 : squared * Math.log(squared));
  }
  return [...basis, 1, x, y];
}

/**
 * Return the columns, for the control points, of the inverse of the spline's system.
 * @param {Points} controls
 */
function solveSpline(controls) {
  const count = controls.length / 2;
  const size = count + 3;
  const system = Array.from({ length: size }, (_, row) => {
    const left = row < count ? splineBasis(controls[2 * row], controls[2 * row + 1], controls) : [
      ...Array.from(
        { length: count },
        (_, at) => row === count ? 1 : controls[2 * at + row - count - 1],
      ),
      0,
      0,
      0,
    ];
    return [...left, ...Array.from({ length: count }, (_, column) => Number(column === row))];
  });
  eliminate(system);
  return system.map((row) => row.slice(size));
}

/**
 * Reduce a system's left square to the identity, by Gauss-Jordan elimination with pivots.
 * @param {number[][]} system is changed
 */
export function eliminate(system) {
  for (let column = 0; column < system.length; column++) {
    let pivot = column;
    for (let row = column + 1; row < system.length; row++) {
      if (Math.abs(system[row][column]) > Math.abs(system[pivot][column])) pivot = row;
    }
    [system[column], system[pivot]] = [system[pivot], system[column]];
    const divisor = system[column][column];
    system[column] = system[column].map((value) => value / divisor);
    for (let row = 0; row < system.length; row++) {
      const factor = system[row][column];
      if (row === column || factor === 0) continue;
      system[row] = system[row].map((value, at) => value - factor * system[column][at]);
    }
  }
}
