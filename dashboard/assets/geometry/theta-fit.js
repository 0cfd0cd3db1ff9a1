// The theta whose region best matches four given corners, for every family of transformers. The same numbers
// as models/inverse_fit.py, in float64. Pure.
//
// Corners are normalised points, clockwise from the output's top left.

import { eliminate, latticePoints } from "./theta-grid.js";

/** @import { ThetaShape } from "./theta-grid.js" */
/** @import { Point } from "./region-geometry.js" */

/** @type {Point[]} */
const CORNERS = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
const HORIZON = 1e-3;

/**
 * Return the theta whose region has these corners, or is the closest to them.
 * @param {ThetaShape} family
 * @param {Point[]} corners where they should be in the input
 * @param {number} [aspect] the input's width divided by its height
 * @returns {number[]}
 */
export function fitTheta({ theta_labels, theta_matrix, control_points }, corners, aspect = 1) {
  if (control_points) return fitSpline(corners, control_points);
  if (!theta_matrix) return fitRestricted(theta_labels, corners, aspect);
  return theta_matrix[0] === 3 ? fitProjection(corners) : fitParallelogram(corners);
}

/** @param {Point[]} corners */
function fitParallelogram(corners) {
  return [0, 1].flatMap((axis) => {
    /** @param {(corner: Point) => number} weight */
    const mean = (weight) =>
      corners.reduce((sum, corner, at) => sum + weight(CORNERS[at]) * corner[axis], 0) / 4;
    return [mean(([x]) => x), mean(([, y]) => y), mean(() => 1)];
  });
}

/**
 * @param {string[]} labels
 * @param {Point[]} corners
 * @param {number} aspect
 */
function fitRestricted(labels, corners, aspect) {
  let [along, across, square] = [0, 0, 0];
  const centre = [0, 0];
  corners.forEach(([x, y], at) => {
    const [sourceX, sourceY] = CORNERS[at];
    along += aspect ** 2 * sourceX * x + sourceY * y;
    across += aspect * (sourceX * y - sourceY * x);
    square += aspect ** 2 + 1;
    centre[0] += x / 4;
    centre[1] += y / 4;
  });
  const length = labels.includes("angle") ? Math.hypot(along, across) : along;
  /** @type {Record<string, number>} */
  const numbers = {
    angle: Math.atan2(across, along),
    s: length / square,
    scale: length / square,
    tx: centre[0],
    ty: centre[1],
  };
  return labels.map((label) => numbers[label]);
}

/**
 * Solve for the homography through all four corners; affine where they are not convex.
 * @param {Point[]} corners
 */
function fitProjection(corners) {
  const system = [0, 1].flatMap((axis) =>
    corners.map((corner, at) => {
      const [x, y] = CORNERS[at];
      const plane = [x, y, 1];
      const sides = axis ? [0, 0, 0, ...plane] : [...plane, 0, 0, 0];
      return [...sides, -corner[axis] * x, -corner[axis] * y, corner[axis]];
    })
  );
  eliminate(system);
  const theta = system.map((row) => row[row.length - 1]);
  const isValid = CORNERS.every(([x, y]) => theta[6] * x + theta[7] * y + 1 > HORIZON);
  return isValid ? theta : [...fitParallelogram(corners), 0, 0];
}

/**
 * Interpolate the control points bilinearly between the corners.
 * @param {Point[]} corners
 * @param {number} side
 */
function fitSpline(corners, side) {
  const controls = latticePoints(side);
  return Array.from(controls, (_, index) => {
    const [x, y] = [controls[index - (index % 2)], controls[index - (index % 2) + 1]];
    return CORNERS.reduce(
      (sum, corner, at) =>
        sum + ((1 + corner[0] * x) * (1 + corner[1] * y) * corners[at][index % 2]) / 4,
      0,
    );
  });
}
