// What a region is, read from its lattice: points (x, y) in pixels of the input, row by row, as many
// in each row as there are rows. The same numbers as backend/experiment/geometry.py. Pure.

// In image widths: what is narrower has no direction.
const NO_WIDTH = 1e-9;

/** How many points a lattice has along a side. */
export const sideOf = (lattice) => Math.sqrt(lattice.length / 2);

/**
 * Where a point of the output lies in the input; exact at the lattice's points, and between them
 * for every region that is not bent.
 * @param {number} u share of the output's width, 0 its left edge
 * @param {number} v share of its height
 * @returns {[number, number]} pixels of the input
 */
export function pointAt(lattice, u, v) {
  const side = sideOf(lattice);
  const [column, across] = cellOf(u, side);
  const [row, down] = cellOf(v, side);
  const read = (axis) => {
    const at = 2 * (row * side + column) + axis;
    const upper = lattice[at] + across * (lattice[at + 2] - lattice[at]);
    const below = at + 2 * side;
    const lower = lattice[below] + across * (lattice[below + 2] - lattice[below]);
    return upper + down * (lower - upper);
  };
  return [read(0), read(1)];
}

function cellOf(share, side) {
  const place = share * (side - 1);
  const cell = Math.min(side - 2, Math.max(0, Math.floor(place)));
  return [cell, place - cell];
}

/** The middle of a region, in pixels of the input. */
export function centreOf(lattice) {
  const count = lattice.length / 2;
  let [x, y] = [0, 0];
  for (let at = 0; at < lattice.length; at += 2) {
    x += lattice[at];
    y += lattice[at + 1];
  }
  return [x / count, y / count];
}

/**
 * A region as the affine map that is closest to it, in the paper's coordinates: [-1, 1] from edge to
 * edge, output to input.
 * @param {number[]} size height and width of the input
 * @returns {number[]} a, b, c, d, e, f of (x, y) -> (a x + b y + c, d x + e y + f)
 */
export function fitAffine(lattice, [height, width]) {
  const side = sideOf(lattice);
  const halves = [width / 2, height / 2];
  const centre = centreOf(lattice);
  const sums = { across: [0, 0], down: [0, 0] };
  let weight = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [tick(column, side), tick(row, side)];
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

const tick = (index, side) => (2 * index) / (side - 1) - 1;

/** The determinant of an affine map: the region's area as a share of the image's, signed. */
export const determinant = ([a, b, , d, e]) => a * e - b * d;

/**
 * A region in numbers: what turns the whole image into it, from the image's middle and in pixels.
 * First sheared, then scaled, then turned, then shifted.
 * @returns {{rotation: number, scaleX: number, scaleY: number, shear: number, shiftX: number,
 *   shiftY: number, bend: number}} radians clockwise; shares of the image's sides; tangent; shares
 *   of half its sides; the furthest any point lies from the closest parallelogram, in widths
 */
export function decomposeRegion(lattice, [height, width]) {
  const map = fitAffine(lattice, [height, width]);
  const [shiftX, shiftY] = [map[2], map[5]];
  const bend = bendOf(lattice, map, [height, width]);
  // In pixels, so that a turn is a turn on images of any shape.
  const [a, b, c, d] = [map[0], (map[1] * width) / height, (map[3] * height) / width, map[4]];
  const scaleX = Math.hypot(a, c);
  if (scaleX < NO_WIDTH) {
    const scaleY = Math.hypot(b, d);
    return { rotation: 0, scaleX: 0, scaleY, shear: 0, shiftX, shiftY, bend };
  }
  return {
    rotation: Math.atan2(c, a),
    scaleX,
    scaleY: (a * d - b * c) / scaleX,
    shear: (a * b + c * d) / scaleX ** 2,
    shiftX,
    shiftY,
    bend,
  };
}

function bendOf(lattice, [a, b, c, d, e, f], [height, width]) {
  const side = sideOf(lattice);
  let furthest = 0;
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [tick(column, side), tick(row, side)];
      const at = 2 * (row * side + column);
      const flatX = ((a * x + b * y + c + 1) * width) / 2;
      const flatY = ((d * x + e * y + f + 1) * height) / 2;
      furthest = Math.max(furthest, Math.hypot(lattice[at] - flatX, lattice[at + 1] - flatY));
    }
  }
  return furthest / width;
}

/**
 * Share of the output's pixels that are sampled from outside the image.
 * @param {number[]} output its height and width
 * @param {number[]} input the input's
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

/** The mean of numbers, and their standard deviation. */
export function meanAndDeviation(numbers) {
  const mean = numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const squares = numbers.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / numbers.length) };
}
