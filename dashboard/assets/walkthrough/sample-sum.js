// A sample as a sum in numbers: of each pixel its value, its weight and their product.

import { element, setText } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";

/** @import { Sample, SampledImage, SamplingMode } from "../geometry/grid-sampler.js" */

export class SampleSum {
  constructor() {
    this.rows = [1, 2, 3, 4].map((number) => new SumRow(number));
    this.total = element("td");
    this.weight = element("td");
    this.swatch = element("span.stn-sum-swatch");
    this.value = element("strong.stn-sum-value");
    const heads = ["Pixel", "value", "× area", "="].map((title) =>
      element("th", { scope: "col" }, title)
    );
    this.element = element(
      "div.stn-sum",
      {},
      element(
        "table.stn-sum-table",
        {},
        element("thead", {}, element("tr", {}, ...heads)),
        element("tbody", {}, ...this.rows.map((row) => row.element)),
        element(
          "tfoot",
          {},
          element(
            "tr",
            {},
            element("th", { scope: "row" }, "Sum"),
            element("td"),
            this.weight,
            this.total,
          ),
        ),
      ),
      element(
        "figure",
        {},
        this.swatch,
        element("figcaption", {}, "The output pixel: ", this.value),
      ),
    );
  }

  /**
   * @param {SampledImage} image
   * @param {Sample} sample
   * @param {SamplingMode} mode
   */
  draw(image, { values: [value], neighbours }, mode) {
    this.rows.forEach((row, index) => row.draw(image, neighbours[index]));
    setText(this.weight, decimal(neighbours.reduce((sum, { weight }) => sum + weight, 0), 3));
    setText(this.total, decimal(value, 1));
    setText(this.value, decimal(value, 1));
    this.element.dataset.mode = mode;
    this.swatch.style.background = `rgb(${value}, ${value}, ${value})`;
  }
}

class SumRow {
  /** @param {number} number of the neighbour, from 1 */
  constructor(number) {
    this.name = element("span");
    this.cells = [0, 1, 2].map(() => element("td"));
    const key = element("span.stn-sum-key", { data: { share: number } });
    this.element = element(
      "tr",
      {},
      element("th", { scope: "row" }, key, this.name),
      ...this.cells,
    );
  }

  /**
   * @param {SampledImage} image
   * @param {{row: number, column: number, weight: number} | undefined} neighbour
   */
  draw({ data, shape: [height, width, channels] }, neighbour) {
    this.element.classList.toggle("stn-sum-unused", !neighbour);
    if (!neighbour) {
      setText(this.name, "–");
      this.cells.forEach((cell) => setText(cell, "–"));
      return;
    }
    const { row, column, weight } = neighbour;
    const isInside = row >= 0 && row < height && column >= 0 && column < width;
    const value = isInside ? data[(row * width + column) * channels] : 0;
    setText(this.name, isInside ? `(${column}, ${row})` : "outside");
    [String(value), decimal(weight, 3), decimal(weight * value, 1)].forEach((text, index) =>
      setText(this.cells[index], text)
    );
  }
}
