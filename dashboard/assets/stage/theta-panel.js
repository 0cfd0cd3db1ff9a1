// One transformer's theta on the page: a sentence, the matrix, the figures.

import { element, setText } from "../ui/dom.js";
import { matrixRows, regionFigures, regionSentence, thetaRows } from "./theta-text.js";

const FIGURES = [
  [
    "determinant",
    "Determinant",
    "The region's area as a share of the image's; below 0 it is mirrored.",
  ],
  ["outside", "Outside", "Share of the output's pixels that are sampled from outside the image."],
];

export class ThetaPanel {
  /**
   * @param {number} place of the transformer, from 1, where it is one of several; else 0
   * @param {string} name what it is called where it is
   */
  constructor(place, name) {
    this.sentence = element("p.stn-theta-sentence");
    this.table = new NumberTable();
    this.matrix = new NumberTable();
    this.figures = {};
    const list = element("dl.stn-theta-figures");
    for (const [name, title, hint] of FIGURES) {
      this.figures[name] = element("dd");
      list.append(element("div", { title: hint }, element("dt", {}, title), this.figures[name]));
    }
    this.element = element(
      "section.stn-theta",
      { data: place ? { transformer: place } : {} },
      ...(place ? [element("span.stn-theta-name", {}, name)] : []),
      this.sentence,
      element("div.stn-numbers", {}, list, this.table.element, this.matrix.element),
    );
  }

  update({ family }, theta, lattice, output, input) {
    setText(this.sentence, regionSentence(lattice, input));
    const { name, rows } = thetaRows(family, theta);
    this.table.update(name, rows);
    this.table.element.classList.toggle("stn-points", family.startsWith("spline"));
    // The affine one's theta is that matrix already.
    const other = family !== "affine";
    this.matrix.element.hidden = !other;
    if (other) {
      this.matrix.update(
        BENT.test(family) ? "closest matrix" : "as a matrix",
        matrixRows(lattice, input),
      );
    }
    const figures = regionFigures(lattice, output, input);
    for (const [key, value] of Object.entries(figures)) setText(this.figures[key], value);
  }
}

const BENT = /^(projective|spline)/;

/** Rows of numbers in brackets, each where it was when they change. */
class NumberTable {
  constructor() {
    this.name = element("caption");
    this.body = element("tbody");
    this.element = element("table.stn-matrix", {}, this.name, this.body);
  }

  update(name, rows) {
    setText(this.name, name);
    const shape = rows.map((row) => row.length).join();
    if (shape !== this.shape) {
      this.shape = shape;
      this.body.replaceChildren(
        ...rows.map((row) => element("tr", {}, ...row.map(() => element("td")))),
      );
    }
    rows.forEach((row, y) => row.forEach((text, x) => setText(this.body.rows[y].cells[x], text)));
  }
}
