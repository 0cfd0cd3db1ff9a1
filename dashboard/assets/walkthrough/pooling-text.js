// What pooling tolerates, and what it does not, in the numbers that were measured. Pure.

import { percent } from "../ui/number-text.js";

// A change is tolerated while the class keeps this probability.
const TOLERATED = 0.5;

/**
 * A change of the picture other than a shift, and the probability that it leaves the class.
 * @typedef {object} Change
 * @property {string} title
 * @property {number} withoutTransformer
 * @property {number} withTransformer
 */

/**
 * Return the shifts from and to which a network keeps the class; null if it does not even in the middle.
 * Exported for tests.
 * @param {[shift: number, probability: number][]} line in the order of the shifts, all of them
 * @returns {[number, number] | null}
 */
export function toleratedShifts(line) {
  const middle = line.findIndex(([shift]) => shift === 0);
  if (!(line[middle]?.[1] >= TOLERATED)) return null;
  let [from, to] = [middle, middle];
  while (line[from - 1]?.[1] >= TOLERATED) from -= 1;
  while (line[to + 1]?.[1] >= TOLERATED) to += 1;
  return [line[from][0], line[to][0]];
}

/**
 * Answer what pooling tolerates and what it does not, beside the transformer.
 * @param {string} name of the class
 * @param {[shift: number, probability: number][][]} lines without the transformer, and with it
 * @param {Change[]} changes
 * @param {(shift: number) => string} shiftText
 */
export function poolingText(name, lines, changes, shiftText) {
  const [withoutTransformer, withTransformer] = lines.map(toleratedShifts);
  if (!withoutTransformer) {
    return `Without a transformer the picture is not classified as ${name}, even in the middle.`;
  }
  /** @param {[number, number]} range */
  const rangeText = ([from, to]) => `from ${shiftText(from)} to ${shiftText(to)}`;
  /** @param {Change[]} some */
  const list = (some) =>
    some.map((change) =>
      `${change.title} (${percent(change.withoutTransformer, 0)}; with a transformer ${
        percent(change.withTransformer, 0)
      })`
    ).join(", ");
  const isTolerated = (/** @type {Change} */ { withoutTransformer: share }) => share >= TOLERATED;
  const tolerated = changes.filter(isTolerated);
  const others = changes.filter((change) => !isTolerated(change));
  return [
    `Pooling tolerates shifts ${rangeText(withoutTransformer)}${
      tolerated.length ? `, and ${list(tolerated)}` : ""
    }: ` +
    `there ${name} keeps at least ${percent(TOLERATED, 0)}.`,
    `It does not tolerate larger shifts${others.length ? `, nor ${list(others)}` : ""}.`,
    ...(withTransformer
      ? [`With the transformer it keeps that ${rangeText(withTransformer)}.`]
      : []),
  ].join(" ");
}
