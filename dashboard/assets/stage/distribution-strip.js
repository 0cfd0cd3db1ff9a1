// One number of all regions along a line: each, their mean and how they spread.

import { element, setText } from "../ui/dom.js";

export class DistributionStrip {
  /** @param {object} number one of STATISTICS */
  constructor({ title, text, from, to }) {
    Object.assign(this, { text, from, to });
    this.value = element("span.stn-value");
    this.band = element("span.stn-band");
    this.mean = element("span.stn-mean");
    this.marks = [];
    this.line = element("div.stn-strip-line", { aria: { hidden: "true" } }, this.band, this.mean);
    const head = element("div.stn-strip-head", {}, element("span", {}, title), this.value);
    const ends = element(
      "div.stn-strip-ends",
      { aria: { hidden: "true" } },
      element("span", {}, text(from)),
      element("span", {}, text(to)),
    );
    this.element = element("div.stn-strip", {}, head, this.line, ends);
  }

  update({ values, mean, deviation }) {
    setText(this.value, `${this.text(mean)} ± ${this.text(deviation)}`);
    while (this.marks.length < values.length) this.marks.push(element("span.stn-strip-mark"));
    const marks = this.marks.slice(0, values.length);
    if (this.line.childElementCount !== marks.length + 2) {
      this.line.replaceChildren(this.band, ...marks, this.mean);
    }
    values.forEach((value, index) => (marks[index].style.left = this.#share(value)));
    this.mean.style.left = this.#share(mean);
    this.band.style.left = this.#share(mean - deviation);
    this.band.style.right = this.#share(mean + deviation, true);
  }

  #share(value, fromRight = false) {
    const share = Math.min(1, Math.max(0, (value - this.from) / (this.to - this.from)));
    return `${100 * (fromRight ? 1 - share : share)}%`;
  }
}
