// The probabilities of classes as bars.

import { element, setText } from "../ui/dom.js";
import { percent } from "../ui/number-text.js";

/** @import { Label } from "../protocol/types.js" */

const MAX_CLASSES = 10;

export class ClassBars {
  constructor() {
    this.element = element("ol.stn-classes");
    /** @type {Bar[]} */
    this.bars = [];
  }

  /**
   * @param {number[]} probabilities of each class; NaN where the network has diverged
   * @param {string[]} names of the classes
   * @param {Label} predicted
   * @param {number} limit how many classes are shown
   */
  update(probabilities, names, predicted, limit = MAX_CLASSES) {
    const shown = topClasses(probabilities, limit);
    while (this.bars.length < shown.length) this.bars.push(new Bar());
    const bars = this.bars.slice(0, shown.length);
    if (this.element.childElementCount !== bars.length) {
      this.element.replaceChildren(...bars.map((bar) => bar.element));
    }
    shown.forEach((index, row) =>
      bars[row].update(names[index] ?? String(index), probabilities[index], index === predicted)
    );
  }
}

class Bar {
  constructor() {
    this.name = element("span.stn-class-name");
    this.filled = element("span.stn-filled");
    this.probability = element("span.stn-class-probability");
    const bar = element("span.stn-class-bar", { aria: { hidden: "true" } }, this.filled);
    this.element = element("li.stn-class", {}, this.name, bar, this.probability);
  }

  /**
   * @param {string} name
   * @param {number} probability
   * @param {boolean} isPredicted
   */
  update(name, probability, isPredicted) {
    setText(this.name, name);
    setText(this.probability, percent(probability, 0));
    this.filled.style.width = `${100 * (probability || 0)}%`;
    if (isPredicted) this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
  }
}

/**
 * Return the indices of all classes in order; of more than `limit` the most probable, in that order.
 * @param {number[]} probabilities
 * @param {number} limit
 */
function topClasses(probabilities, limit) {
  const all = probabilities.map((_, index) => index);
  if (all.length <= limit) return all;
  return all.sort((a, b) => probabilities[b] - probabilities[a]).slice(0, limit);
}
