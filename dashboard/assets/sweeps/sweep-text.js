// A sweep's fields, values and figures as text, and the order of its combinations. Pure.

import { decimal, percent } from "../ui/number-text.js";

/** @import { PublishedFigure, Spread, SweepCombination, SweepSummary } from "../protocol/types.js" */

/**
 * Titles of fields that the form has under other names than the configuration.
 * @type {Record<string, string>}
 */
const FIELD_TITLES = {
  architecture: "Network",
  dataset: "Data set",
  family: "Transformer",
  "distortion.name": "Distortion",
  consistency: "Consistency loss",
  ema_decay: "Weight averaging",
  "probes.count": "Probes",
  "probes.moving": "Moving probes",
};

/**
 * Return the title of a field of a configuration: "Learning rate".
 * @param {string} path
 */
export function fieldTitle(path) {
  const words = (path.split(".").at(-1) ?? path).replaceAll("_", " ");
  return FIELD_TITLES[path] ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * Return a value of a field: "affine", "0.01", "E 0.5".
 * @param {unknown} value
 * @returns {string}
 */
export function valueText(value) {
  if (value === null || value === undefined) return "default";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return Object.values(value).map(valueText).join(" ");
  return String(value);
}

/**
 * Return what distinguishes a combination: "affine, learning rate 0.01".
 * @param {Pick<SweepCombination, "values">} combination
 */
export const combinationTitle = ({ values }) =>
  Object.entries(values).map(([field, value]) =>
    typeof value === "number" || typeof value === "boolean"
      ? `${fieldTitle(field).toLowerCase()} ${valueText(value)}`
      : valueText(value)
  ).join(", ");

/**
 * Return how far a sweep is: "12 of 36 finished, 2 training, 22 waiting".
 * @param {Pick<SweepSummary, "runs" | "done" | "training" | "waiting" | "others">} sweep
 */
export function progressText({ runs, done, training, waiting, others }) {
  const parts = [`${done} of ${runs} ${runs === 1 ? "run" : "runs"} finished`];
  if (training) parts.push(`${training} training`);
  if (waiting) parts.push(`${waiting} waiting`);
  for (const [status, count] of Object.entries(others)) {
    parts.push(`${count} ${status.replaceAll("_", " ")}`);
  }
  return parts.join(", ");
}

/**
 * Return in what the runs of a sweep differ: "Transformer, strength, 3 seeds".
 * @param {Pick<SweepSummary, "fields" | "seeds">} sweep
 */
export function variedText({ fields, seeds }) {
  const titles = fields.map(fieldTitle);
  const words = titles.map((title, index) => index ? title.toLowerCase() : title);
  const count = `${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}`;
  return [...words, count].join(", ");
}

/**
 * A figure of the table.
 * @typedef {object} Figure
 * @property {"accuracy" | "loss" | "stillness"} name
 * @property {string} title
 * @property {(value: number) => string} text
 * @property {boolean} isHigherBetter
 */

/** @type {Figure[]} */
export const FIGURES = [
  { name: "accuracy", title: "Accuracy", text: (value) => percent(value), isHigherBetter: true },
  { name: "loss", title: "Loss", text: (value) => decimal(value), isHigherBetter: false },
  {
    name: "stillness",
    title: "Stillness",
    text: (value) => decimal(value, 2),
    isHigherBetter: false,
  },
];

/**
 * Return the range of a figure over seeds, "96.1% to 97.0%"; empty of a single run.
 * @param {Spread | null} spread
 * @param {(value: number) => string} text
 */
export const rangeText = (spread, text) =>
  spread && spread.runs > 1 ? `${text(spread.min)} to ${text(spread.max)}` : "";

/**
 * Return an accuracy as it was published, "99.5%", "99.6 to 99.7%"; of errors, what is left of 100 %.
 * @param {PublishedFigure | null} published
 */
export function publishedText(published) {
  if (!published) return "–";
  const { figure, measure } = published;
  if (measure === "accuracy") return `${figure}%`;
  const decimals = figure.split(".")[1]?.length ?? 0;
  return `${(100 - Number(figure)).toFixed(decimals)}%`;
}

/**
 * The order of the rows: by a column, or for null as the sweep has them.
 * @typedef {{column: string, isDescending: boolean} | null} Order
 */

/**
 * Return the order in an address: "accuracy", or "-accuracy" for a falling one.
 * @param {string | null} text
 * @param {string[]} columns that there are
 * @returns {Order}
 */
export function readOrder(text, columns) {
  const isDescending = text?.startsWith("-") ?? false;
  const column = text?.replace(/^-/, "") ?? "";
  return columns.includes(column) ? { column, isDescending } : null;
}

/** @param {Order} order */
export const orderText = (order) => order && `${order.isDescending ? "-" : ""}${order.column}`;

/**
 * Return the order after a press of a column's title: the better first, then the other way, then none.
 * @param {Order} order
 * @param {string} column
 * @returns {Order}
 */
export function nextOrder(order, column) {
  const first = FIGURES.some((figure) => figure.name === column && figure.isHigherBetter);
  if (order?.column !== column) return { column, isDescending: first };
  return order.isDescending === first ? { column, isDescending: !first } : null;
}

/**
 * Return combinations in an order; those without a value are last.
 * @template {SweepCombination} T
 * @param {T[]} combinations
 * @param {Order} order
 * @returns {T[]}
 */
export function sortCombinations(combinations, order) {
  if (!order) return combinations;
  const { column, isDescending } = order;
  const keyed = combinations.map((each) => ({ each, key: sortKey(each, column) }));
  keyed.sort((one, other) => {
    if (one.key === null || other.key === null) {
      return Number(one.key === null) - Number(other.key === null);
    }
    return (isDescending ? -1 : 1) * compare(one.key, other.key);
  });
  return keyed.map(({ each }) => each);
}

/**
 * @param {SweepCombination} combination
 * @param {string} column
 * @returns {number | string | null}
 */
function sortKey(combination, column) {
  const figure = FIGURES.find(({ name }) => name === column);
  if (figure) return combination[figure.name]?.mean ?? null;
  if (column === "done") return combination.done;
  if (column === "published") {
    return combination.published && parseFloat(publishedText(combination.published));
  }
  if (column === "collapsed") {
    return combination.observed ? combination.collapsed / combination.observed : null;
  }
  const value = combination.values[column];
  return typeof value === "number" ? value : valueText(value);
}

/**
 * @param {number | string} one
 * @param {number | string} other
 */
function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}
