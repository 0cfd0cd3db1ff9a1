// Theta in words, as sliders: scale, rotation, shear and shift of the region.

import { composeAffine, decomposeAffine } from "../geometry/region-geometry.js";
import { element } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";
import { SliderRow } from "./slider-row.js";

/** @import { AffinePose } from "../geometry/region-geometry.js" */

/**
 * One of the sliders.
 * @typedef {object} PoseEntry
 * @property {string} title
 * @property {number} minimum
 * @property {number} maximum
 * @property {number} step
 * @property {(pose: AffinePose) => number} read
 * @property {(pose: AffinePose, value: number) => AffinePose} write
 * @property {(value: number) => string} text
 */

const DEGREES = 180 / Math.PI;
/** @param {number} value */
const signedPercent = (value) => `${decimal(100 * value, 0)}%`;
/** @param {number} value */
const degreesText = (value) => `${decimal(value, 0)}°`;

/** @param {AffinePose} pose */
const stretchOf = ({ scaleX, scaleY }) => (scaleX ? scaleY / scaleX : 1);

/** @type {PoseEntry[]} */
const ENTRIES = [
  {
    title: "Scale",
    minimum: 0.05,
    maximum: 2,
    step: 0.01,
    read: ({ scaleX }) => scaleX,
    write: (pose, value) => ({ ...pose, scaleX: value, scaleY: value * stretchOf(pose) }),
    text: signedPercent,
  },
  {
    title: "Height to width",
    minimum: -2,
    maximum: 2,
    step: 0.01,
    read: stretchOf,
    write: (pose, value) => ({ ...pose, scaleY: value * pose.scaleX }),
    text: signedPercent,
  },
  {
    title: "Rotation",
    minimum: -180,
    maximum: 180,
    step: 1,
    read: ({ rotation }) => DEGREES * rotation,
    write: (pose, value) => ({ ...pose, rotation: value / DEGREES }),
    text: degreesText,
  },
  {
    title: "Shear",
    minimum: -60,
    maximum: 60,
    step: 1,
    read: ({ shear }) => DEGREES * Math.atan(shear),
    write: (pose, value) => ({ ...pose, shear: Math.tan(value / DEGREES) }),
    text: degreesText,
  },
  {
    title: "Shift right",
    minimum: -1.5,
    maximum: 1.5,
    step: 0.01,
    read: ({ shiftX }) => shiftX,
    write: (pose, value) => ({ ...pose, shiftX: value }),
    text: (value) => decimal(value, 2),
  },
  {
    title: "Shift down",
    minimum: -1.5,
    maximum: 1.5,
    step: 0.01,
    read: ({ shiftY }) => shiftY,
    write: (pose, value) => ({ ...pose, shiftY: value }),
    text: (value) => decimal(value, 2),
  },
];

export class PoseSliders {
  /** @param {(theta: number[]) => void} onTheta called with six numbers after a slider was moved */
  constructor(onTheta) {
    this.size = [1, 1];
    /** @type {AffinePose | null} */
    this.pose = null;
    this.rows = ENTRIES.map((entry) => this.#createRow(entry, onTheta));
    this.element = element(
      "div.stn-slider-rows.stn-walkthrough-sliders",
      { role: "group", aria: { label: "θ in words" } },
      ...this.rows.map(({ row }) => row.element),
    );
  }

  /**
   * @param {PoseEntry} entry
   * @param {(theta: number[]) => void} onTheta
   */
  #createRow(entry, onTheta) {
    const row = new SliderRow(entry, entry.step);
    const { slider } = row;
    slider.oninput = () => {
      if (!this.pose) return;
      onTheta(composeAffine(entry.write(this.pose, slider.valueAsNumber), this.size));
    };
    return { entry, row };
  }

  /**
   * @param {number[]} theta
   * @param {number[]} size height and width of the input
   */
  update(theta, size) {
    this.size = size;
    this.pose = decomposeAffine(theta, size);
    for (const { entry, row } of this.rows) {
      const { slider } = row;
      const number = entry.read(this.pose);
      if (
        document.activeElement !== slider || Math.abs(slider.valueAsNumber - number) > entry.step
      ) {
        slider.valueAsNumber = number;
      }
      row.setText(entry.text(number));
    }
  }
}
