// The figures of results as text.

import { integer } from "../ui/number-text.js";

/** @import { Machine, Origin, RowFigure, TableRow } from "../protocol/types.js" */

const NOT_RECORDED = "not recorded";

/**
 * Return a figure in percent, "0.44", with its spread over seeds if there is one, "0.44 ± 0.04".
 * @param {number} value
 * @param {number | null} spread
 */
export const figureText = (value, spread) =>
  spread === null ? value.toFixed(2) : `${value.toFixed(2)} ±\u00a0${spread.toFixed(2)}`;

/**
 * Return "1.46 M", or nothing if there is no number.
 * @param {number | null} count
 */
export const millions = (count) =>
  count === null ? "" : count < 1e8 ? `${(count / 1e6).toFixed(2)} M` : `${integer(count / 1e6)} M`;

/**
 * Return "12 min", "1 h 20 min", or that it is not recorded.
 * @param {number | null} seconds
 */
export function timeText(seconds) {
  if (seconds === null) return NOT_RECORDED;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Return a value as text, or that it is not recorded.
 * @param {string | number | null} value
 */
export const recorded = (value) =>
  value === null ? NOT_RECORDED : typeof value === "number" ? integer(value) : value;

/** @param {Machine} machine */
export const machineText = ({ processor, cores, threads, torch, version }) =>
  `${processor}, ${threads} of ${cores} cores used, torch ${torch}, stnscope ${version}`;

/**
 * Return the rows of a table by network, and in each by its data, in the table's order.
 * @param {TableRow[]} rows
 * @returns {Map<string, Map<string, TableRow>>}
 */
export function rowsByNetwork(rows) {
  /** @type {Map<string, Map<string, TableRow>>} */
  const networks = new Map();
  for (const row of rows) {
    const cells = networks.get(row.network) ?? new Map();
    networks.set(row.network, cells.set(row.data, row));
  }
  return networks;
}

/**
 * Return the notes on a figure: of how many seeds it is, where its file is, and its notes.
 * @param {Pick<RowFigure, "seeds" | "origin" | "notes">} figure
 */
export const figureNotes = ({ seeds, origin, notes }) =>
  [...sources(seeds, origin), ...notes].join(", ");

/**
 * Return the same for a narrow cell, where notes are below the table.
 * @param {Pick<RowFigure, "seeds" | "origin" | "notes" | "complete">} figure
 */
export function shortNotes({ seeds, origin, notes, complete }) {
  const short = notes.length === 0 ? [] : [complete ? "see below" : "cut short"];
  return [...sources(seeds, origin), ...short].join(", ");
}

/**
 * @param {number} seeds
 * @param {Origin} origin
 */
const sources = (seeds, origin) => [
  ...(seeds > 1 ? [`${seeds} seeds`] : []),
  ...(origin === "home" ? ["home"] : []),
];
