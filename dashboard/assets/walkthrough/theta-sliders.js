// A slider for each number of theta that has a name, or a position in a matrix.

import { element } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";
import { SliderRow } from "./slider-row.js";

/** @import { FamilyEntry } from "../protocol/types.js" */

/** @typedef {{title: string, minimum: number, maximum: number, step: number}} Range */

const SHIFT = { minimum: -1.5, maximum: 1.5, step: 0.01 };
const SCALE = { minimum: 0.05, maximum: 2, step: 0.01 };
/** @type {Record<string, Range>} by the label in the catalog */
const NAMED_PARAMETERS = {
  angle: { title: "Angle", minimum: -Math.PI, maximum: Math.PI, step: Math.PI / 180 },
  s: { title: "Scale s", ...SCALE },
  scale: { title: "Scale", ...SCALE },
  tx: { title: "Shift right, tx", ...SHIFT },
  ty: { title: "Shift down, ty", ...SHIFT },
};
const DEGREES = 180 / Math.PI;

/**
 * @param {FamilyEntry} family
 * @returns {Range[]}
 */
function rangesOf({ theta_labels, theta_matrix, parameters }) {
  if (!theta_matrix) return theta_labels.map((label) => NAMED_PARAMETERS[label]);
  const columns = theta_matrix[1];
  return Array.from({ length: parameters }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const limit = row === 2 ? 0.6 : 1.5; // beyond it most of the region is behind the horizon
    return { title: `θ ${row + 1},${column + 1}`, minimum: -limit, maximum: limit, step: 0.01 };
  });
}

export class ThetaSliders {
  /** @param {(theta: number[]) => void} onTheta called after a slider was moved */
  constructor(onTheta) {
    this.onTheta = onTheta;
    /** @type {number[]} */
    this.theta = [];
    /** @type {ReturnType<ThetaSliders["createRow"]>[]} */
    this.rows = [];
    this.element = element("div.stn-slider-rows.stn-walkthrough-sliders", {
      role: "group",
      aria: { label: "The numbers of θ" },
    });
  }

  /** @param {FamilyEntry} family */
  build(family) {
    this.rows = rangesOf(family).map((range, index) => this.createRow(range, index));
    this.element.replaceChildren(...this.rows.map(({ row }) => row.element));
    this.element.hidden = this.rows.length === 0;
    this.element.dataset.columns = String(family.theta_matrix?.[1] ?? 2);
  }

  /**
   * @param {Range} range
   * @param {number} index in theta
   */
  createRow(range, index) {
    const { minimum, maximum, step } = range;
    const row = new SliderRow(range, "any");
    const { slider } = row;
    const isAngle = maximum === Math.PI;
    /** @param {number} number */
    const text = (number) => isAngle ? `${decimal(DEGREES * number, 0)}°` : decimal(number, 2);
    slider.oninput = () => this.#set(index, slider.valueAsNumber);
    // A range of any step has a tenth of its length as the step of its keys.
    slider.onkeydown = ({ key, shiftKey }) => {
      const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
      if (!direction) return;
      const moved = this.theta[index] + direction * step * (shiftKey ? 10 : 1);
      this.#set(index, Math.min(maximum, Math.max(minimum, moved)));
      return false;
    };
    return { row, text };
  }

  /**
   * @param {number} index
   * @param {number} value
   */
  #set(index, value) {
    this.theta = this.theta.map((number, at) => (at === index ? value : number));
    this.onTheta(this.theta);
  }

  /** @param {number[]} theta */
  update(theta) {
    this.theta = theta;
    this.rows.forEach(({ row, text }, index) => {
      row.slider.valueAsNumber = theta[index];
      row.setText(text(theta[index]));
    });
  }
}
