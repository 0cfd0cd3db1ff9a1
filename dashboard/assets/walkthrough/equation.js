// Matrices and vectors in brackets, as elements.

import { element } from "../ui/dom.js";

/**
 * Create a matrix in brackets.
 * @param {(Node | string)[][]} rows
 */
export function matrix(rows) {
  const cells = rows.flat().map((cell) => element("span.stn-matrix-cell", {}, cell));
  const created = element("span.stn-brackets", {}, ...cells);
  created.style.setProperty("--stn-columns", String(rows[0].length));
  return created;
}

/**
 * Create a variable with an index, such as x with s below.
 * @param {string} name
 * @param {string} index
 */
export const variable = (name, index) =>
  element("span.stn-variable", {}, element("i", {}, name), element("sub", {}, index));
