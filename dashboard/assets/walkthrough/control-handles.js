// Handles of a spline's control points above an image, by which each is dragged.

import { inputMargin } from "../geometry/input-margin.js";
import { keyOffset } from "../geometry/region-drag.js";
import { element } from "../ui/dom.js";

/** @import { Point } from "../geometry/region-geometry.js" */

export class ControlHandles {
  /** @param {(index: number, point: Point) => void} onMove called with a point in pixels of the input */
  constructor(onMove) {
    this.onMove = onMove;
    /** @type {HTMLButtonElement[]} */
    this.dots = [];
    /** @type {Point[]} */
    this.points = [];
    this.size = [1, 1];
    this.element = element("div.stn-handles");
  }

  /**
   * Create the handles.
   * @param {number} side control points along a side; 0 for none
   * @param {number[]} size height and width of the input
   */
  build(side, size) {
    this.size = size;
    this.dots = Array.from({ length: side * side }, (_, index) => this.#createDot(index, side));
    this.element.replaceChildren(...this.dots);
  }

  /**
   * @param {number} index
   * @param {number} side
   */
  #createDot(index, side) {
    const [row, column] = [Math.floor(index / side) + 1, (index % side) + 1];
    const label = `Control point, row ${row}, column ${column}: arrow keys move it`;
    const dot = element("button.stn-handle.stn-control-handle", {
      type: "button",
      aria: { label },
    });
    /** @type {{x: number, y: number, point: Point} | null} */
    let start = null;
    dot.onpointerdown = (event) => {
      if (event.button !== 0) return;
      dot.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, point: this.points[index] };
    };
    dot.onpointermove = (event) => {
      if (!start) return;
      const scale = this.#pixels[1] / this.element.getBoundingClientRect().width;
      const { x, y, point } = start;
      this.onMove(index, [
        point[0] + scale * (event.clientX - x),
        point[1] + scale * (event.clientY - y),
      ]);
    };
    dot.onpointerup = dot.onpointercancel = dot.onlostpointercapture = () => (start = null);
    dot.onkeydown = (event) => {
      const offset = keyOffset(event);
      if (!offset) return;
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = this.points[index];
      this.onMove(index, [x + offset[0], y + offset[1]]);
    };
    return dot;
  }

  /** Height and width of the input and its margin, in pixels of the input. */
  get #pixels() {
    const [height, width] = this.size;
    const margin = inputMargin(height, width);
    return [height + 2 * margin, width + 2 * margin];
  }

  /** @param {Point[]} points in pixels of the input */
  update(points) {
    this.points = points;
    const [height, width] = this.#pixels;
    const margin = inputMargin(this.size[0], this.size[1]);
    points.forEach(([x, y], index) => {
      const { style } = this.dots[index];
      style.setProperty("--stn-x", `${((100 * (x + margin)) / width).toFixed(3)}%`);
      style.setProperty("--stn-y", `${((100 * (y + margin)) / height).toFixed(3)}%`);
    });
  }
}
