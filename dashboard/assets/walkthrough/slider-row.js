// A slider in a row with its title and its value in words.

import { element, setText } from "../ui/dom.js";

export class SliderRow {
  /**
   * @param {{title: string, minimum: number, maximum: number}} range
   * @param {number | "any"} step
   */
  constructor({ title, minimum, maximum }, step) {
    this.slider = element("input.stn-slider", {
      type: "range",
      min: minimum,
      max: maximum,
      step,
      aria: { label: title },
    });
    this.value = element("span.stn-slider-value");
    this.element = element(
      "label.stn-slider-row",
      {},
      element("span", {}, title),
      this.slider,
      this.value,
    );
  }

  /** @param {string} text the value in words */
  setText(text) {
    setText(this.value, text);
    this.slider.setAttribute("aria-valuetext", text);
  }
}
