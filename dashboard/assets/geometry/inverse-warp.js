// The inverse warp: the outputs of transformers pasted back where they were sampled from. Pure.

/** @import { Lattice } from "./region-geometry.js" */

/**
 * Pixels in bytes, row by row, with their height, width and channels.
 * @typedef {{data: Uint8Array, shape: number[]}} Image
 */

/**
 * An output of a transformer, with the lattice that it was sampled at.
 * @typedef {{data: ArrayLike<number>, shape: number[], lattice: Lattice}} WarpedImage
 */

/** @typedef {[x: number, y: number, u: number, v: number]} Vertex in the input and in the output */

// The brightness of input pixels that were not sampled.
const DIMMED_FACTOR = 0.3;

/**
 * Paste outputs over a dimmed input, each where its lattice was sampled.
 * @param {{data: ArrayLike<number>, shape: number[]}} input
 * @param {WarpedImage[]} outputs in the order in which they are pasted
 * @returns {Image} of the input's height and width, in colour where any of them is
 */
export function inverseWarp(input, outputs) {
  const [height, width, channels] = input.shape;
  const depth = Math.max(channels, ...outputs.map(({ shape }) => shape[2]));
  const target = { data: new Uint8Array(height * width * depth), shape: [height, width, depth] };
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < depth; channel++) {
      const value = input.data[pixel * channels + (channels === 1 ? 0 : channel)];
      target.data[pixel * depth + channel] = DIMMED_FACTOR * value;
    }
  }
  for (const output of outputs) paste(target, output);
  return target;
}

/**
 * Paste one output, cell by cell of its lattice, each cell as two triangles.
 * @param {Image} target
 * @param {WarpedImage} output
 */
function paste(target, output) {
  const { lattice } = output;
  const end = Math.sqrt(lattice.length / 2) - 1;
  /** @param {number} row @param {number} column @returns {Vertex} */
  const vertex = (row, column) => {
    const offset = 2 * (row * (end + 1) + column);
    return [lattice[offset], lattice[offset + 1], column / end, row / end];
  };
  for (let row = 0; row < end; row++) {
    for (let column = 0; column < end; column++) {
      const [topLeft, topRight] = [vertex(row, column), vertex(row, column + 1)];
      const [bottomRight, bottomLeft] = [vertex(row + 1, column + 1), vertex(row + 1, column)];
      fillTriangle(target, [topLeft, topRight, bottomRight], output);
      fillTriangle(target, [topLeft, bottomRight, bottomLeft], output);
    }
  }
}

/**
 * Fill the pixels whose centres lie within a triangle.
 * @param {Image} target
 * @param {Vertex[]} triangle
 * @param {WarpedImage} output
 */
function fillTriangle(target, [p, q, r], output) {
  const area = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1]);
  if (!Number.isFinite(area) || area === 0) return;
  const [height, width] = target.shape;
  const [left, right] = pixelRange([p[0], q[0], r[0]], width);
  const [top, bottom] = pixelRange([p[1], q[1], r[1]], height);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [dx, dy] = [x + 0.5 - p[0], y + 0.5 - p[1]];
      // Barycentric coordinates: the weights of q and r.
      const a = (dx * (r[1] - p[1]) - (r[0] - p[0]) * dy) / area;
      const b = ((q[0] - p[0]) * dy - dx * (q[1] - p[1])) / area;
      if (a < 0 || b < 0 || a + b > 1) continue;
      const u = p[2] + a * (q[2] - p[2]) + b * (r[2] - p[2]);
      const v = p[3] + a * (q[3] - p[3]) + b * (r[3] - p[3]);
      writePixel(target, x, y, output, u, v);
    }
  }
}

/**
 * Return the first and last pixel whose centres lie within a range of coordinates.
 * @param {number[]} coordinates
 * @param {number} size number of pixels
 */
const pixelRange = (coordinates, size) => [
  Math.max(0, Math.ceil(Math.min(...coordinates) - 0.5)),
  Math.min(size - 1, Math.floor(Math.max(...coordinates) - 0.5)),
];

/**
 * Write the output's value at a point, interpolated bilinearly, into one pixel.
 * @param {Image} target
 * @param {number} x
 * @param {number} y
 * @param {WarpedImage} output
 * @param {number} u share of the output's width
 * @param {number} v share of its height
 */
function writePixel(target, x, y, { data, shape: [rows, columns, channels] }, u, v) {
  const [, width, depth] = target.shape;
  const [i, down] = pixelBefore(v, rows);
  const [j, across] = pixelBefore(u, columns);
  const [below, right] = [Math.min(rows - 1, i + 1), Math.min(columns - 1, j + 1)];
  for (let channel = 0; channel < depth; channel++) {
    const source = channels === 1 ? 0 : channel;
    /** @param {number} row @param {number} column */
    const read = (row, column) => data[(row * columns + column) * channels + source];
    const upper = read(i, j) + across * (read(i, right) - read(i, j));
    const lower = read(below, j) + across * (read(below, right) - read(below, j));
    target.data[(y * width + x) * depth + channel] = upper + down * (lower - upper) + 0.5;
  }
}

/**
 * Return the pixel whose centre precedes a point, and the point's distance from that centre.
 * @param {number} share the point, as a share of the side
 * @param {number} size number of pixels along the side
 */
function pixelBefore(share, size) {
  const position = Math.min(size - 1, Math.max(0, share * size - 0.5));
  const index = Math.floor(position);
  return [index, position - index];
}
