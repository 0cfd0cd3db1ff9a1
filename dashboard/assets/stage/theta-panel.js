// One transformer's theta on the page: a sentence about the region, theta, its affine map, figures.

import { familyEntry } from "../protocol/catalog.js";
import { element, setText } from "../ui/dom.js";
import { fitNote } from "../ui/frame-text.js";
import { affineRows, regionFigures, regionSentence, thetaRows } from "./theta-text.js";

/** @import { Transformer } from "../protocol/types.js" */
/** @import { Lattice } from "../geometry/region-geometry.js" */

const FIGURES = [
  {
    name: "determinant",
    title: "Determinant",
    hint: "The region's area as a share of the image's; negative if it is mirrored.",
  },
  {
    name: "outside",
    title: "Outside",
    hint: "Share of the output's pixels that are sampled from outside the image.",
  },
];

export class ThetaPanel {
  /**
   * @param {number} number of the transformer, from 1, where there are several; else 0
   * @param {string} name shown where there are several
   */
  constructor(number, name) {
    this.sentence = element("p.stn-theta-text");
    this.note = element("p.stn-muted.stn-theta-note");
    this.theta = new NumberTable();
    this.affine = new NumberTable();
    /** @type {Object<string, HTMLElement>} */
    this.figures = {};
    const list = element("dl.stn-theta-values");
    for (const figure of FIGURES) {
      const value = this.figures[figure.name] = element("dd");
      list.append(element("div", { title: figure.hint }, element("dt", {}, figure.title), value));
    }
    this.element = element(
      "section.stn-theta",
      { data: number ? { transformer: number } : {} },
      ...(number ? [element("span.stn-theta-name", {}, name)] : []),
      this.sentence,
      this.note,
      element("div.stn-numbers", {}, list, this.theta.element, this.affine.element),
    );
  }

  /**
   * @param {Transformer} transformer
   * @param {ArrayLike<number>} theta
   * @param {Lattice} lattice
   * @param {number[]} output its height and width
   * @param {number[]} input its height and width
   */
  update(transformer, theta, lattice, output, input) {
    const family = familyEntry(transformer.family);
    setText(this.sentence, regionSentence(lattice, input));
    setText(this.note, fitNote(transformer));
    this.note.hidden = !this.note.textContent;
    const { title, rows } = thetaRows(family, theta);
    this.theta.update(title, rows);
    this.theta.element.classList.toggle("stn-points", Boolean(family?.control_points));
    // A 2x3 theta is the affine map itself.
    const isAffine = family?.theta_matrix?.[0] === 2;
    this.affine.element.hidden = isAffine;
    if (!isAffine) {
      const isExact = family && !family.degrees_of_freedom.includes("corners");
      this.affine.update(isExact ? "as a matrix" : "closest matrix", affineRows(lattice, input));
    }
    const figures = regionFigures(lattice, output, input);
    for (const [name, value] of Object.entries(figures)) setText(this.figures[name], value);
  }
}

/** Rows of numbers in brackets; cells are reused if the shape is unchanged. */
class NumberTable {
  constructor() {
    this.title = element("caption");
    this.body = document.createElement("tbody");
    this.element = element("table.stn-matrix", {}, this.title, this.body);
    this.shape = "";
  }

  /**
   * @param {string} title
   * @param {string[][]} rows
   */
  update(title, rows) {
    setText(this.title, title);
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
