// The arrows that a class's loss puts on the sampling points of a region: which way each would lower it.

import { inputViewBox } from "../geometry/input-margin.js";
import { svgElement } from "../ui/dom.js";

// Every how many output pixels, in both directions, one has an arrow.
const STRIDE = 2;
// Pixels of the input: the longest arrow, and the legs of an arrow's head as a share of it.
const LENGTH = 4.5;
const HEAD = 0.32;
// Arrows shorter than this share of the longest one are left out.
const MIN_SHARE = 0.03;

export class GradientArrows {
  constructor() {
    this.halo = svgElement("path", { class: "stn-arrow stn-halo" });
    this.line = svgElement("path", { class: "stn-arrow stn-line" });
    this.element = svgElement("svg", { class: "stn-overlay", "aria-hidden": "true" });
    this.element.append(this.halo, this.line);
  }

  /** @param {number[]} size height and width of the input */
  fit([height, width]) {
    this.element.setAttribute("viewBox", inputViewBox(height, width));
  }

  /**
   * Draw the arrows; none where the gradient is zero.
   * @param {ArrayLike<number>} points x, y of each output pixel's sampling point, in pixels of the input
   * @param {ArrayLike<number>} gradients of the loss with respect to those, in the same order
   * @param {number[]} outputSize height and width
   */
  draw(points, gradients, outputSize) {
    const path = arrowPath(points, gradients, outputSize);
    this.halo.setAttribute("d", path);
    this.line.setAttribute("d", path);
  }

  /** Draw none. */
  clear() {
    this.draw([], [], [0, 0]);
  }
}

/**
 * Return the arrows as path data: each against its gradient, the longest `LENGTH` pixels long.
 * Exported for tests.
 * @param {ArrayLike<number>} points
 * @param {ArrayLike<number>} gradients
 * @param {number[]} outputSize
 */
export function arrowPath(points, gradients, [rows, columns]) {
  const largest = Math.max(...lengths(gradients));
  if (!(largest > 0)) return "";
  const arrows = [];
  for (let row = 0; row < rows; row += STRIDE) {
    for (let column = 0; column < columns; column += STRIDE) {
      const at = 2 * (row * columns + column);
      const [x, y] = [points[at], points[at + 1]];
      const [across, down] = [gradients[at], gradients[at + 1]].map((each) =>
        (-LENGTH * each) / largest
      );
      if (Math.hypot(across, down) < MIN_SHARE * LENGTH) continue;
      arrows.push(arrow([x, y], [across, down]));
    }
  }
  return arrows.join("");
}

/** @param {ArrayLike<number>} gradients */
const lengths = (gradients) =>
  Array.from(
    { length: gradients.length / 2 },
    (_, index) => Math.hypot(gradients[2 * index], gradients[2 * index + 1]),
  ).concat(0);

/**
 * @param {[number, number]} from
 * @param {[number, number]} by
 */
function arrow([x, y], [across, down]) {
  const [tipX, tipY] = [x + across, y + down];
  const legs = [1, -1].map((side) => {
    const legX = tipX - HEAD * (across - side * down);
    const legY = tipY - HEAD * (down + side * across);
    return `M${text(tipX)},${text(tipY)}L${text(legX)},${text(legY)}`;
  });
  return `M${text(x)},${text(y)}L${text(tipX)},${text(tipY)}${legs.join("")}`;
}

/** @param {number} value */
const text = (value) => value.toFixed(2);
