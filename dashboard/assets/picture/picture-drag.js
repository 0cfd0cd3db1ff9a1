// Moving a picture on the stage by dragging it: shift, with Shift held down rotation, with the wheel scale.

import { inputMargin } from "../geometry/input-margin.js";
import { clampVariation } from "./variations.js";
import { element } from "../ui/dom.js";

/** @import { Variation } from "../protocol/transform-stream.js" */

// What one notch of the wheel, usually 100 pixels, scales by.
const WHEEL_FACTOR = 0.0008;
const HINT =
  "The picture: arrow keys shift it, with Shift they rotate and scale it; drag it, with Shift to rotate it";
const KEY_SHIFT = 0.02;
const KEY_DEGREES = 2;
const KEY_SCALE = 1.03;
/** @type {Record<string, [number, number]>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** @typedef {Pick<Variation, "shift_x" | "shift_y" | "rotation" | "scale">} Placement */

export class PictureDrag {
  /**
   * @param {() => Variation} getVariation
   * @param {(placement: Placement) => void} onChange
   */
  constructor(getVariation, onChange) {
    this.getVariation = getVariation;
    this.onChange = onChange;
    this.element = element("div.stn-picture-drag", { tabIndex: 0, aria: { label: HINT } });
    this.element.setAttribute("role", "application");
    this.side = 1; // of the input, as a share of the element's width
    this.#listen();
  }

  /**
   * Set the input's size, around which the element has a margin.
   * @param {number[]} input height and width
   */
  build([height, width]) {
    this.side = width / (width + 2 * inputMargin(height, width));
  }

  #listen() {
    const { element: target } = this;
    /** @type {{x: number, y: number, from: Required<Placement>} | null} */
    let start = null;
    target.onpointerdown = (event) => {
      if (event.button) return;
      target.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, from: this.#placement() };
    };
    target.onpointermove = (event) => {
      if (!start) return;
      const { from } = start;
      if (event.shiftKey) this.onChange({ rotation: this.#rotation(event, start) });
      else {
        // Half a side of the input, in CSS pixels.
        const half = (target.clientWidth * this.side) / 2;
        this.onChange({
          shift_x: clampVariation("shift_x", from.shift_x + (event.clientX - start.x) / half),
          shift_y: clampVariation("shift_y", from.shift_y + (event.clientY - start.y) / half),
        });
      }
    };
    target.onpointerup = target.onpointercancel = () => (start = null);
    target.addEventListener("wheel", (event) => this.#scale(event), { passive: false });
    target.onkeydown = (event) => this.#handleKey(event);
  }

  /** @returns {Required<Placement>} */
  #placement() {
    const { shift_x = 0, shift_y = 0, rotation = 0, scale = 1 } = this.getVariation();
    return { shift_x, shift_y, rotation, scale };
  }

  /**
   * Return the rotation by which the pointer went around the middle of the input.
   * @param {PointerEvent} event
   * @param {{x: number, y: number, from: Required<Placement>}} start
   */
  #rotation({ clientX, clientY }, { x, y, from }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const [centreX, centreY] = [left + width / 2, top + height / 2];
    const before = Math.atan2(y - centreY, x - centreX);
    const now = Math.atan2(clientY - centreY, clientX - centreX);
    return wrapDegrees(from.rotation + (180 / Math.PI) * (now - before));
  }

  /** @param {WheelEvent} event */
  #scale(event) {
    // Otherwise the wheel scrolls the page.
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const scale = this.#placement().scale *
      Math.exp(-WHEEL_FACTOR * (event.deltaY || event.deltaX));
    this.onChange({ scale: clampVariation("scale", scale) });
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    const direction = DIRECTIONS[event.key];
    if (!direction) return;
    event.preventDefault();
    const [across, down] = direction;
    const { shift_x, shift_y, rotation, scale } = this.#placement();
    if (event.shiftKey) {
      this.onChange({
        rotation: wrapDegrees(rotation + KEY_DEGREES * across),
        scale: clampVariation("scale", scale * KEY_SCALE ** -down),
      });
    } else {
      this.onChange({
        shift_x: clampVariation("shift_x", shift_x + KEY_SHIFT * across),
        shift_y: clampVariation("shift_y", shift_y + KEY_SHIFT * down),
      });
    }
  }
}

/** @param {number} value */
const wrapDegrees = (value) => ((((value + 180) % 360) + 360) % 360) - 180;
