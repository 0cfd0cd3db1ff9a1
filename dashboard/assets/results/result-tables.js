// The tables of results: published figures, and beside each those of result files.

import { createDetails } from "./result-details.js";
import { element } from "../ui/dom.js";
import { figureNotes, figureText, millions, rowsByNetwork, shortNotes } from "./result-text.js";
import { integer } from "../ui/number-text.js";

/**
 * @import {
 *   EvaluationFigure, Origin, PublishedNetwork, ResultTable, RowFigure, SignNetwork, SignTable, TableRow,
 * } from "../protocol/types.js"
 */

/** @typedef {Parameters<typeof createDetails>[0]} FileDetails */

const DETAILS_HINT = "Show what the result file holds: configuration, seed, machine, time, command";

/**
 * Create the table of networks for traffic signs, published ones first.
 * @param {SignTable} table
 */
export function createSignTable({ title, source, recipe, published, ours }) {
  const titles = ["Accuracy", "Images", "Networks", "Weights, as published", "Weights, counted"];
  titles.push("Multiply-adds of one evaluation", "Augmentation", "Jitter");
  const rows = [...published.map(publishedCells), ...ours.map(ownCells)].map(([head, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, ...head), ...labelled(titles, cells))
  );
  const content = createTable(["Network", ...titles], rows, "stn-result-wide");
  return createSection({ title, source, recipe, measure: "accuracy", isOpen: true }, content);
}

/**
 * @param {PublishedNetwork} network
 * @returns {(string | Node)[][]}
 */
function publishedCells(network) {
  return [
    [network.title, element("span.stn-result-note", {}, network.source)],
    [element("span.stn-published", {}, network.accuracy)],
    ["official test set"],
    [network.networks ? String(network.networks) : ""],
    [network.weights],
    [millions(network.parameters)],
    [millions(network.multiply_adds)],
    [yesOrNo(network.augmentation)],
    [yesOrNo(network.jitter)],
  ];
}

/**
 * @param {SignNetwork} network
 * @returns {(string | Node)[][]}
 */
function ownCells(network) {
  return [
    [network.title, element("span.stn-result-note", {}, network.name)],
    [createFigure(network, [network.title, network.name].join(", "))],
    [`${integer(network.images)} ${network.kind}`],
    [String(network.networks)],
    [""],
    [millions(network.parameters)],
    [millions(network.multiply_adds)],
    [yesOrNo(network.augmentation)],
    [yesOrNo(network.augmentation)],
  ];
}

/**
 * Create the table of evaluations of trained weights.
 * @param {EvaluationFigure[]} evaluations
 */
export function createEvaluationTable(evaluations) {
  const titles = ["Accuracy", "Images", "Wrong", "Parameters", "Multiply-adds"];
  const rows = evaluations.map(({ title, value, file, origin, result }) => {
    const { weights, command, note } = result;
    const details = { file, origin, command, notes: note ? [note] : [], result };
    const figure = { ...details, value, spread: null, seeds: 1, complete: true };
    const cells = [
      [createFigure(figure, weights)],
      [`${integer(result.images)} ${result.kind}, ${result.dataset}, ${result.distortion}`],
      [`${integer(result.errors)} of ${integer(result.labels)}`],
      [millions(result.parameters)],
      [millions(result.multiply_adds)],
    ];
    const note_ = element("span.stn-result-note", {}, title);
    const head = element("th", { scope: "row" }, weights, note_);
    return element("tr", {}, head, ...labelled(titles, cells));
  });
  const recipe = "Weights that were evaluated on images that they were not trained on.";
  const section = { title: "Trained weights", source: "", recipe, measure: "accuracy" };
  const content = createTable(["Name", ...titles], rows, "stn-result-wide");
  return createSection({ ...section, isOpen: true }, content);
}

/**
 * Create a published table, as a grid where a network has a figure in each column.
 * @param {ResultTable} table
 */
export function createResultTable(table) {
  const isOpen = table.rows.some((row) => row.figures.length > 0);
  if (!table.columns.length) return createSection({ ...table, isOpen }, createList(table));
  return createSection({ ...table, isOpen }, createGrid(table), ...gridNotes(table));
}

/** @param {ResultTable} table */
function createGrid({ columns, rows }) {
  const created = [...rowsByNetwork(rows)].map(([network, cells]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, network),
      ...columns.map((data) => {
        const row = cells.get(data);
        return element("td", {}, ...(row ? createCell(row) : []));
      }),
    )
  );
  return createTable(["Network", ...columns], created, "stn-result-grid");
}

/**
 * Create the notes that have no space in the cells of a grid.
 * @param {ResultTable} table
 */
const gridNotes = ({ rows }) =>
  rows.flatMap(({ network, data, figures }) =>
    figures.filter(({ notes }) => notes.length > 0).map((figure) =>
      element(
        "p.stn-result-recipe",
        {},
        `${network}, ${data}, ${figureText(figure.value, figure.spread)}: ${figureNotes(figure)}.`,
      )
    )
  );

/** @param {ResultTable} table */
function createList({ rows }) {
  const titles = ["Data", "Here", "Published"];
  const created = rows.map((row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, row.network),
      ...labelled(titles, [
        [row.data],
        row.figures.map((figure) => createFigure(figure, `${row.network}, ${row.data}`)),
        [element("span.stn-published", {}, row.published)],
      ]),
    )
  );
  return createTable(["Network", ...titles], created, "stn-result-list");
}

/** @param {TableRow} row */
function createCell(row) {
  const published = element("span.stn-published", {}, row.published);
  published.title = "As published";
  const figures = row.figures.map((figure) =>
    createFigure(figure, `${row.network}, ${row.data}`, shortNotes(figure))
  );
  return [published, ...figures];
}

/**
 * Create a figure of ours: a button that shows its file's contents, and its notes.
 * @param {FileDetails & Pick<RowFigure, "value" | "spread" | "seeds">} figure
 * @param {string} name what it is of
 * @param {string} notes
 */
function createFigure(figure, name, notes = figureNotes(figure)) {
  const text = figureText(figure.value, figure.spread);
  const button = element("button.stn-figure", { type: "button", title: DETAILS_HINT }, text);
  button.setAttribute("aria-label", `${text} here, ${name}: details`);
  button.setAttribute("aria-expanded", "false");
  button.onclick = () => toggleDetails(button, figure);
  if (!notes) return button;
  return element("span", {}, button, element("span.stn-result-note", {}, notes));
}

/**
 * Show what a file holds in a row below its figure's, or hide it.
 * @param {HTMLButtonElement} button
 * @param {FileDetails} details
 */
function toggleDetails(button, details) {
  const row = /** @type {HTMLTableRowElement} */ (button.closest("tr"));
  const isOpen = button.getAttribute("aria-expanded") === "true";
  const following = row.nextElementSibling;
  if (following?.classList.contains("stn-result-opened")) following.remove();
  for (const other of row.querySelectorAll(".stn-figure")) {
    other.setAttribute("aria-expanded", "false");
  }
  if (isOpen) return;
  button.setAttribute("aria-expanded", "true");
  const cell = element("td", { colSpan: row.cells.length }, createDetails(details));
  row.after(element("tr.stn-result-opened", {}, cell));
}

/**
 * Create cells that have their column's title with them, for where there is no space for columns.
 * @param {string[]} titles
 * @param {(string | Node)[][]} cells
 */
const labelled = (titles, cells) =>
  cells.map((content, index) => element("td", { data: { title: titles[index] } }, ...content));

/**
 * @param {string[]} titles
 * @param {HTMLTableRowElement[]} rows
 * @param {"stn-result-wide" | "stn-result-grid" | "stn-result-list"} layout
 */
function createTable(titles, rows, layout) {
  const heads = titles.map((title) => element("th", { scope: "col" }, title));
  return element(
    `table.stn-result-table.${layout}`,
    {},
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows),
  );
}

/**
 * @param {object} about
 * @param {string} about.title
 * @param {string} about.source
 * @param {string} about.recipe
 * @param {string} about.measure
 * @param {boolean} about.isOpen
 * @param {...HTMLElement} content
 */
function createSection({ title, source, recipe, measure, isOpen }, ...content) {
  const caption = isOpen ? `${measure} in %` : `${measure} in %, as published: no result here yet`;
  const summary = element(
    "summary.stn-result-summary",
    {},
    element("span.stn-result-title", {}, title),
    element("span.stn-muted", {}, caption),
  );
  const text = source ? `${recipe} Source: ${source}.` : recipe;
  const note = element("p.stn-result-recipe.stn-muted", {}, text);
  return element("details.stn-result-section", { open: isOpen }, summary, ...content, note);
}

/** @param {boolean | null} value */
const yesOrNo = (value) => (value === null ? "" : value ? "yes" : "no");
