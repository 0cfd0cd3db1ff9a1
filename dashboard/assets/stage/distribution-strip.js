// One statistic of all regions on an axis: a mark for each probe, the mean and the deviation.

import { element, setText } from "../ui/dom.js";

/** @import { Distribution, STATISTICS } from "../geometry/region-statistics.js" */

export class DistributionStrip {
  /** @param {typeof STATISTICS[number]} statistic */
  constructor({ title, text, from, to }) {
    this.text = text;
    this.from = from;
    this.to = to;
    this.value = element("span.stn-value");
    this.band = element("span.stn-band");
    this.mean = element("span.stn-mean");
    /** @type {HTMLElement[]} */
    this.marks = [];
    this.axis = element("div.stn-strip-line", { aria: { hidden: "true" } }, this.band, this.mean);
    const head = element("div.stn-strip-head", {}, element("span", {}, title), this.value);
    const ends = element(
      "div.stn-strip-ends",
      { aria: { hidden: "true" } },
      element("span", {}, text(from)),
      element("span", {}, text(to)),
    );
    this.element = element("div.stn-strip", {}, head, this.axis, ends);
  }

  /** @param {Distribution} distribution */
  update({ values, mean, deviation }) {
    setText(this.value, `${this.text(mean)} ± ${this.text(deviation)}`);
    while (this.marks.length < values.length) this.marks.push(element("span.stn-strip-mark"));
    const marks = this.marks.slice(0, values.length);
    if (this.axis.childElementCount !== marks.length + 2) {
      this.axis.replaceChildren(this.band, ...marks, this.mean);
    }
    values.forEach((value, index) => (marks[index].style.left = this.#position(value)));
    this.mean.style.left = this.#position(mean);
    this.band.style.left = this.#position(mean - deviation);
    this.band.style.right = this.#position(mean + deviation, true);
  }

  /**
   * @param {number} value
   * @param {boolean} fromRight
   */
  #position(value, fromRight = false) {
    const share = Math.min(1, Math.max(0, (value - this.from) / (this.to - this.from)));
    return `${100 * (fromRight ? 1 - share : share)}%`;
  }
}
