// Theta as a matrix whose numbers can be edited, in its equation.

import { element } from "../ui/dom.js";
import { matrix, variable } from "./equation.js";
import { prefersReducedMotion } from "../ui/reduced-motion.js";

const DECIMALS = 3;
const NAMES = ["1,1", "1,2", "1,3", "2,1", "2,2", "2,3"];

export class ThetaMatrix {
  /** @param {(theta: number[]) => void} onTheta called with six numbers after one was edited */
  constructor(onTheta) {
    /** @type {number[]} */
    this.theta = [];
    this.inputs = NAMES.map((name, index) => {
      const input = element("input.stn-walkthrough-entry", {
        type: "number",
        step: 0.05,
        inputMode: "decimal",
        aria: { label: `θ ${name}` },
      });
      input.oninput = () => {
        if (input.value === "" || !Number.isFinite(input.valueAsNumber)) return;
        onTheta(this.theta.map((value, at) => (at === index ? input.valueAsNumber : value)));
      };
      input.onblur = () => (input.value = this.theta[index].toFixed(DECIMALS));
      return input;
    });
    this.element = element(
      "div.stn-equation",
      { role: "group", aria: { label: "The matrix θ" } },
      matrix([[variable("x", "s")], [variable("y", "s")]]),
      "=",
      matrix([this.inputs.slice(0, 3), this.inputs.slice(3)]),
      matrix([[variable("x", "t")], [variable("y", "t")], ["1"]]),
    );
  }

  /** @param {number[]} theta */
  update(theta) {
    theta.forEach((value, index) => {
      const input = this.inputs[index];
      const text = value.toFixed(DECIMALS).replace(/^-(0\.0*)$/, "$1");
      const isTyping = document.activeElement === input && Number(input.value) === value;
      if (isTyping || input.value === text) return;
      input.value = text;
      if (this.theta.length) flash(input);
    });
    this.theta = theta;
  }
}

/**
 * Mark a number that has changed.
 * @param {HTMLElement} target
 */
function flash(target) {
  if (prefersReducedMotion()) return;
  const colour = "color-mix(in srgb, var(--stn-accent) 32%, transparent)";
  target.getAnimations().forEach((animation) => animation.cancel());
  target.animate([{ backgroundColor: colour }, {}], { duration: 700, easing: "ease-out" });
}
