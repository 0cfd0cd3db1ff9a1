// One pixel of an output, and what it is sampled from: the point in the input, the pixels around it
// and how much each of them counts, as bilinear sampling has it. Pure.

import { pointAt } from "./region-geometry.js";

/**
 * @param {ArrayLike<number>} lattice of the region
 * @param {{row: number, column: number}} pixel of the output
 * @param {number[]} output its height and width
 * @returns {{x: number, y: number, around: {row: number, column: number, weight: number}[]}} in
 *   pixels of the input; pixels beyond its edge are there too
 */
export function bilinearSample(lattice, { row, column }, [rows, columns]) {
  const [x, y] = pointAt(lattice, (column + 0.5) / columns, (row + 0.5) / rows);
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [right, down] = [x - 0.5 - left, y - 0.5 - top];
  const around = [0, 1].flatMap((below) =>
    [0, 1].map((beside) => ({
      row: top + below,
      column: left + beside,
      weight: (below ? down : 1 - down) * (beside ? right : 1 - right),
    }))
  );
  return { x, y, around };
}
