// The forward warp, which a transformer does not use: each input pixel is moved to its position in
// the output. Some output pixels then receive nothing. Pure.

import { MATRIX_2X3, pixelCentres, toPixels, warpPoints } from "./theta-grid.js";

/** @import { SampledImage } from "./grid-sampler.js" */

/**
 * @typedef {object} ForwardWarp
 * @property {Float64Array} data row by row: the mean of what each output pixel receives, 0 for nothing
 * @property {number[]} shape height, width and channels
 * @property {Uint16Array} counts how many input pixels each output pixel receives
 * @property {Uint8Array} holes 1 for each output pixel that lies within the moved image and receives nothing
 */

/**
 * Return the inverse of a 2x3 matrix, row by row; null if it has none.
 * @param {ArrayLike<number>} theta
 * @returns {number[] | null}
 */
function invertMatrix(theta) {
  const [a, b, c, d, e, f] = Array.from(theta);
  const determinant = a * e - b * d;
  if (!determinant || !Number.isFinite(determinant)) return null;
  return [e, -b, b * f - c * e, -d, a, c * d - a * f].map((value) => value / determinant);
}

/**
 * Move every pixel of an image to the output pixel in which its centre lands.
 * @param {SampledImage} image
 * @param {ArrayLike<number>} theta 2x3, from output to input as everywhere; its inverse moves the pixels
 * @param {number[]} size height and width of the output
 * @returns {ForwardWarp} without any pixel if theta has no inverse
 */
export function forwardWarp({ data, shape }, theta, [rows, columns]) {
  const [height, width, channels] = shape;
  const target = new Float64Array(rows * columns * channels);
  const counts = new Uint16Array(rows * columns);
  const inverse = invertMatrix(theta);
  const moved = inverse
    ? toPixels(warpPoints(MATRIX_2X3, inverse, pixelCentres(height, width)), [rows, columns])
    : [];
  for (let at = 0; at < moved.length; at += 2) {
    const [column, row] = [Math.floor(moved[at]), Math.floor(moved[at + 1])];
    if (column < 0 || column >= columns || row < 0 || row >= rows) continue;
    const pixel = row * columns + column;
    counts[pixel]++;
    for (let channel = 0; channel < channels; channel++) {
      target[pixel * channels + channel] += data[(at / 2) * channels + channel];
    }
  }
  for (let index = 0; index < target.length; index++) {
    target[index] /= counts[Math.floor(index / channels)] || 1;
  }
  const holes = findHoles(theta, counts, [rows, columns]);
  return { data: target, shape: [rows, columns, channels], counts, holes };
}

/**
 * @param {ArrayLike<number>} theta
 * @param {Uint16Array} counts
 * @param {number[]} size
 */
function findHoles(theta, counts, [rows, columns]) {
  const sampled = warpPoints(MATRIX_2X3, theta, pixelCentres(rows, columns));
  return Uint8Array.from(counts, (count, pixel) => {
    const [x, y] = [sampled[2 * pixel], sampled[2 * pixel + 1]];
    return Number(count === 0 && Math.abs(x) <= 1 && Math.abs(y) <= 1);
  });
}
