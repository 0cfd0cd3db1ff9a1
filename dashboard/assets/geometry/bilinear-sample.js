// Which input pixels a pixel of an output is sampled from, and with which weights, under bilinear
// interpolation. Pure.

import { pointAt } from "./region-geometry.js";

/** @import { Lattice } from "./region-geometry.js" */

/**
 * An input pixel and its share of a sample; pixels beyond the input's edge are included.
 * @typedef {{row: number, column: number, weight: number}} Neighbour
 */

/**
 * Return where an output pixel is sampled, and the four input pixels around that point.
 * @param {Lattice} lattice of the region
 * @param {{row: number, column: number}} pixel of the output
 * @param {number[]} shape height and width of the output
 * @returns {{x: number, y: number, neighbours: Neighbour[]}} in pixels of the input
 */
export function bilinearSample(lattice, { row, column }, [height, width]) {
  const [x, y] = pointAt(lattice, (column + 0.5) / width, (row + 0.5) / height);
  return { x, y, neighbours: bilinearNeighbours(x, y) };
}

/**
 * Return the four pixels around a point: top left, top right, bottom left, bottom right.
 * @param {number} x in pixels
 * @param {number} y in pixels
 * @returns {Neighbour[]}
 */
export function bilinearNeighbours(x, y) {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [right, bottom] = [x - 0.5 - left, y - 0.5 - top];
  return [0, 1].flatMap((rowOffset) =>
    [0, 1].map((columnOffset) => ({
      row: top + rowOffset,
      column: left + columnOffset,
      weight: (rowOffset ? bottom : 1 - bottom) * (columnOffset ? right : 1 - right),
    }))
  );
}
