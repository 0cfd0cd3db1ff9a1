// The loss over steps on theta, as a small curve.

import { setAttributes, svgElement, svgText } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";

// Size of the drawing, in its own units.
const WIDTH = 360;
const HEIGHT = 120;
const MARGIN = { left: 34, right: 10, top: 8, bottom: 22 };
const MIN_STEPS = 20;

export class LossCurve {
  constructor() {
    this.path = svgElement("path", { class: "stn-curve", "data-chosen": "" });
    this.dot = svgElement("circle", { class: "stn-curve-dot", r: 5 });
    this.labels = svgElement("g", { class: "stn-curve-labels" });
    this.element = svgElement("svg", {
      class: "stn-curve-drawing",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
    });
    this.element.append(this.labels, this.path, this.dot);
  }

  /** @param {number[]} losses before the first step, and after each */
  draw(losses) {
    const steps = Math.max(MIN_STEPS, losses.length - 1);
    const top = Math.max(1, Math.ceil(Math.max(...losses)));
    /** @param {number} step */
    const x = (step) => MARGIN.left + ((WIDTH - MARGIN.left - MARGIN.right) * step) / steps;
    /** @param {number} loss */
    const y = (loss) =>
      HEIGHT - MARGIN.bottom - ((HEIGHT - MARGIN.top - MARGIN.bottom) * loss) / top;
    const points = losses.map((loss, step) => `${x(step).toFixed(1)} ${y(loss).toFixed(1)}`);
    this.path.setAttribute("d", `M${points.join("L")}`);
    const last = losses.length - 1;
    setAttributes(this.dot, { cx: x(last), cy: y(losses[last]) });
    this.labels.replaceChildren(
      svgText(MARGIN.left - 6, y(0) + 4, "0", "end"),
      svgText(MARGIN.left - 6, y(top) + 10, String(top), "end"),
      svgText(x(0), HEIGHT - 4, "step 0", "start"),
      svgText(x(steps), HEIGHT - 4, String(steps), "end"),
    );
    const text = `Loss ${decimal(losses[last], 2)} after ${last} ${
      last === 1 ? "step" : "steps"
    }, from ${decimal(losses[0], 2)}`;
    this.element.setAttribute("aria-label", text);
  }
}
