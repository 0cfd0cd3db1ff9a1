// A region in numbers, computed from its lattice: the points (x, y) in pixels of the input, row by row,
// where a square grid over the output is sampled. The same numbers as
// backend/experiment/frames/region_geometry.py. Pure.

/**
 * Coordinates x, y of a square grid of points, row by row.
 * @typedef {ArrayLike<number>} Lattice
 */

/** @typedef {[x: number, y: number]} Point */

/**
 * The transformation of the whole image into a region, about the image's centre: shear, then scale,
 * then rotation, then translation.
 * @typedef {object} AffinePose
 * @property {number} rotation radians, clockwise
 * @property {number} scaleX share of the image's width
 * @property {number} scaleY share of its height; negative where the region is mirrored
 * @property {number} shear tangent
 * @property {number} shiftX share of half the image's width
 * @property {number} shiftY share of half its height
 */

/**
 * A region's transformation, and how far it is from one.
 * @typedef {AffinePose & {bend: number}} RegionPose `bend` is the largest distance of a point from the
 *   closest parallelogram, in widths
 */

// In image widths: a region narrower than this has no direction.
const MIN_WIDTH = 1e-9;
// In lengths of a side: points nearer to it are on it.
const STRAIGHT = 1e-3;

/**
 * Return the number of points along a lattice's side.
 * @param {Lattice} lattice
 */
export const latticeSide = (lattice) => Math.sqrt(lattice.length / 2);

/**
 * Return where a point of the output is sampled; exact at the lattice's points, and between them for
 * every region that is not bent.
 * @param {Lattice} lattice
 * @param {number} u share of the output's width, 0 at its left edge
 * @param {number} v share of its height, 0 at its top edge
 * @returns {Point} in pixels of the input
 */
export function pointAt(lattice, u, v) {
  const side = latticeSide(lattice);
  const [column, across] = cellAt(u, side);
  const [row, down] = cellAt(v, side);
  /** @param {number} axis */
  const interpolate = (axis) => {
    const offset = 2 * (row * side + column) + axis;
    const upper = lattice[offset] + across * (lattice[offset + 2] - lattice[offset]);
    const next = offset + 2 * side;
    const lower = lattice[next] + across * (lattice[next + 2] - lattice[next]);
    return upper + down * (lower - upper);
  };
  return [interpolate(0), interpolate(1)];
}

/**
 * Return the lattice cell at a share of a side, and the position within it.
 * @param {number} share
 * @param {number} side
 */
function cellAt(share, side) {
  const position = share * (side - 1);
  const cell = Math.min(side - 2, Math.max(0, Math.floor(position)));
  return [cell, position - cell];
}

/**
 * Return the mean of a lattice's points.
 * @param {Lattice} lattice
 * @returns {Point} in pixels of the input
 */
export function regionCentre(lattice) {
  const count = lattice.length / 2;
  let [x, y] = [0, 0];
  for (let index = 0; index < lattice.length; index += 2) {
    x += lattice[index];
    y += lattice[index + 1];
  }
  return [x / count, y / count];
}

/**
 * Fit an affine map to a region by least squares, in the paper's coordinates: [-1, 1] from edge to
 * edge, output to input.
 * @param {Lattice} lattice
 * @param {number[]} size height and width of the input
 * @returns {number[]} a, b, c, d, e, f of (x, y) -> (a x + b y + c, d x + e y + f)
 */
export function fitAffine(lattice, [height, width]) {
  const side = latticeSide(lattice);
  const halves = [width / 2, height / 2];
  const centre = regionCentre(lattice);
  const sums = { across: [0, 0], down: [0, 0] };
  let weight = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [coordinate(column, side), coordinate(row, side)];
      weight += x * x;
      for (const axis of [0, 1]) {
        const value = lattice[2 * (row * side + column) + axis];
        sums.across[axis] += value * x;
        sums.down[axis] += value * y;
      }
    }
  }
  return [0, 1].flatMap((axis) => [
    sums.across[axis] / weight / halves[axis],
    sums.down[axis] / weight / halves[axis],
    (centre[axis] - halves[axis]) / halves[axis],
  ]);
}

/**
 * Return the coordinate in [-1, 1] of a point of the lattice.
 * @param {number} index
 * @param {number} side
 */
const coordinate = (index, side) => (2 * index) / (side - 1) - 1;

/**
 * Return the determinant of an affine map: the region's signed area as a share of the image's.
 * @param {number[]} map as of `fitAffine`
 */
export const determinant = ([a, b, , d, e]) => a * e - b * d;

/**
 * Decompose a region into rotation, scale, shear and translation.
 * @param {Lattice} lattice
 * @param {number[]} size height and width of the input
 * @returns {RegionPose}
 */
export function decomposeRegion(lattice, size) {
  const map = fitAffine(lattice, size);
  return { ...decomposeAffine(map, size), bend: computeBend(lattice, map, size) };
}

/**
 * Decompose an affine map into rotation, scale, shear and translation.
 * @param {number[]} map as of `fitAffine`
 * @param {number[]} size height and width of the input
 * @returns {AffinePose}
 */
export function decomposeAffine(map, [height, width]) {
  const [shiftX, shiftY] = [map[2], map[5]];
  // In pixels, so that a rotation is one on images that are not square too.
  const [a, b, c, d] = [map[0], (map[1] * width) / height, (map[3] * height) / width, map[4]];
  const scaleX = Math.hypot(a, c);
  if (scaleX < MIN_WIDTH) {
    return { rotation: 0, scaleX: 0, scaleY: Math.hypot(b, d), shear: 0, shiftX, shiftY };
  }
  return {
    rotation: Math.atan2(c, a),
    scaleX,
    scaleY: (a * d - b * c) / scaleX,
    shear: (a * b + c * d) / scaleX ** 2,
    shiftX,
    shiftY,
  };
}

/**
 * Return the affine map of a rotation, scale, shear and translation: the inverse of `decomposeAffine`.
 * @param {AffinePose} pose
 * @param {number[]} size height and width of the input
 * @returns {number[]} as of `fitAffine`
 */
export function composeAffine(pose, [height, width]) {
  const { rotation, scaleX, scaleY, shear, shiftX, shiftY } = pose;
  const [cosine, sine] = [Math.cos(rotation), Math.sin(rotation)];
  const aspect = width / height;
  return [
    scaleX * cosine,
    (scaleX * shear * cosine - scaleY * sine) / aspect,
    shiftX,
    scaleX * sine * aspect,
    scaleX * shear * sine + scaleY * cosine,
    shiftY,
  ];
}

/**
 * Return the largest distance of a lattice's points from an affine map's, in image widths.
 * @param {Lattice} lattice
 * @param {number[]} map as of `fitAffine`
 * @param {number[]} size height and width of the input
 */
function computeBend(lattice, [a, b, c, d, e, f], [height, width]) {
  const side = latticeSide(lattice);
  let largest = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [coordinate(column, side), coordinate(row, side)];
      const offset = 2 * (row * side + column);
      const mappedX = ((a * x + b * y + c + 1) * width) / 2;
      const mappedY = ((d * x + e * y + f + 1) * height) / 2;
      const distance = Math.hypot(lattice[offset] - mappedX, lattice[offset + 1] - mappedY);
      largest = Math.max(largest, distance);
    }
  }
  return largest / width;
}

/**
 * Whether all four sides of a region are straight, as those of a quadrilateral seen in perspective.
 * @param {Lattice} lattice
 */
export function hasStraightSides(lattice) {
  const side = latticeSide(lattice);
  const last = side - 1;
  /** @type {(start: number, step: number) => boolean} whether the points of one side are on one line */
  const isStraight = (start, step) => {
    const [x, y] = [lattice[2 * start], lattice[2 * start + 1]];
    const end = 2 * (start + last * step);
    const [acrossX, acrossY] = [lattice[end] - x, lattice[end + 1] - y];
    const length = Math.hypot(acrossX, acrossY);
    return Array.from({ length: side }, (_, index) => 2 * (start + index * step)).every((at) => {
      const cross = (lattice[at] - x) * acrossY - (lattice[at + 1] - y) * acrossX;
      return Math.abs(cross) <= STRAIGHT * length * length;
    });
  };
  return isStraight(0, 1) && isStraight(last * side, 1) && isStraight(0, side) &&
    isStraight(last, side);
}

/**
 * Return the share of an output's pixels that are sampled from outside the image.
 * @param {Lattice} lattice
 * @param {number[]} output its height and width
 * @param {number[]} input its height and width
 */
export function outsideShare(lattice, [rows, columns], [height, width]) {
  let outside = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = pointAt(lattice, (column + 0.5) / columns, (row + 0.5) / rows);
      if (!(x >= 0 && x <= width && y >= 0 && y <= height)) outside++;
    }
  }
  return outside / (rows * columns);
}

/**
 * Return the mean of numbers, and their standard deviation.
 * @param {number[]} numbers
 */
export function meanAndDeviation(numbers) {
  const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const squares = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / numbers.length) };
}
