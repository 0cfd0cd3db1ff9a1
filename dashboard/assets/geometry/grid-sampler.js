// Sampling an image at points: the same numbers as PyTorch's `grid_sample` with zeros as padding, in float64;
// and how the sampled value changes with the point. Pure.
//
// In pixels, 0 is the outer edge of the first pixel, so its centre is at 0.5.

import { bilinearNeighbours } from "./bilinear-sample.js";
import { toPixel } from "./theta-grid.js";

/** @import { Neighbour } from "./bilinear-sample.js" */
/** @import { Points } from "./theta-grid.js" */

/**
 * @typedef {object} SampledImage
 * @property {ArrayLike<number>} data row by row
 * @property {number[]} shape height, width and channels
 */

/** @typedef {"bilinear" | "nearest"} SamplingMode */

/**
 * A sample at one point.
 * @typedef {object} Sample
 * @property {number[]} values one for each channel
 * @property {[dx: number, dy: number][]} slopes of each channel's value, per pixel of the image
 * @property {Neighbour[]} neighbours the pixels that the sample reads, with their weights
 */

/**
 * Sample an image at normalised points.
 * @param {SampledImage} image
 * @param {Points} points
 * @param {{mode?: SamplingMode, alignCorners?: boolean}} [options]
 * @returns {Float64Array} the channels of each point
 */
export function gridSample(image, points, { mode = "bilinear", alignCorners = false } = {}) {
  const { data, shape: [height, width, channels] } = image;
  const sampled = new Float64Array((points.length / 2) * channels);
  for (let at = 0; at < points.length; at += 2) {
    const x = toPixel(points[at], width, alignCorners);
    const y = toPixel(points[at + 1], height, alignCorners);
    for (const { row, column, weight } of neighboursAt(x, y, mode)) {
      if (row < 0 || row >= height || column < 0 || column >= width) continue;
      const source = (row * width + column) * channels;
      const target = (at / 2) * channels;
      for (let channel = 0; channel < channels; channel++) {
        sampled[target + channel] += weight * data[source + channel];
      }
    }
  }
  return sampled;
}

/**
 * Sample an image at one point, with the derivatives that PyTorch passes back to the grid.
 *
 * The slope of a nearest sample is 0. On the line between two cells of the interpolation, bilinear
 * slopes are those of the cell that follows. For the derivative with respect to the normalised
 * coordinate, multiply by `pixelsPerUnit`.
 * @param {SampledImage} image
 * @param {number} x in pixels
 * @param {number} y in pixels
 * @param {SamplingMode} [mode]
 * @returns {Sample}
 */
export function sampleAt(image, x, y, mode = "bilinear") {
  const { data, shape: [height, width, channels] } = image;
  const neighbours = neighboursAt(x, y, mode);
  /** @param {Neighbour} neighbour @param {number} channel */
  const read = ({ row, column }, channel) =>
    row < 0 || row >= height || column < 0 || column >= width
      ? 0
      : data[(row * width + column) * channels + channel];
  const [right, down] = [fraction(x - 0.5), fraction(y - 0.5)];
  const all = Array.from({ length: channels }, (_, channel) => {
    const pixels = neighbours.map((neighbour) => read(neighbour, channel));
    const value = pixels.reduce((sum, pixel, at) => sum + neighbours[at].weight * pixel, 0);
    return { value, slope: mode === "nearest" ? zero() : bilinearSlope(pixels, right, down) };
  });
  return {
    values: all.map(({ value }) => value),
    slopes: all.map(({ slope }) => slope),
    neighbours,
  };
}

/**
 * Return how many pixels one unit of a normalised coordinate is.
 * @param {number} size number of pixels along the side
 * @param {boolean} [alignCorners]
 */
export const pixelsPerUnit = (size, alignCorners = false) => (alignCorners ? size - 1 : size) / 2;

/**
 * @param {number[]} pixels top left, top right, bottom left, bottom right
 * @param {number} right
 * @param {number} down
 * @returns {[number, number]}
 */
const bilinearSlope = ([topLeft, topRight, bottomLeft, bottomRight], right, down) => [
  (1 - down) * (topRight - topLeft) + down * (bottomRight - bottomLeft),
  (1 - right) * (bottomLeft - topLeft) + right * (bottomRight - topRight),
];

/** @returns {[number, number]} */
const zero = () => [0, 0];

/** @param {number} value */
const fraction = (value) => value - Math.floor(value);

/**
 * @param {number} x
 * @param {number} y
 * @param {SamplingMode} mode
 * @returns {Neighbour[]}
 */
function neighboursAt(x, y, mode) {
  if (mode === "bilinear") return bilinearNeighbours(x, y);
  return [{ row: roundToEven(y - 0.5), column: roundToEven(x - 0.5), weight: 1 }];
}

/**
 * Round to the nearest integer, halves to the even one, as PyTorch does.
 * @param {number} value
 */
function roundToEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
