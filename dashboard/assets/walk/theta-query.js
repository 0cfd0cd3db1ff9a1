// The chosen theta as a parameter of an address. Pure.

/** @import { WalkPicture } from "./walk-picture.js" */

const PARAMETER = "theta";
const COUNT = 6;
// As a link writes it.
const DIGITS = 4;

/**
 * Return the theta in an address; null if it has none.
 * @param {URLSearchParams} query
 * @param {number} [count] of its numbers
 * @returns {number[] | null}
 */
export function readTheta(query, count = COUNT) {
  const numbers = (query.get(PARAMETER) ?? "").split(",").map((text) => text.trim());
  if (numbers.length !== count || numbers.includes("")) return null;
  const theta = numbers.map(Number);
  return theta.every(Number.isFinite) ? theta : null;
}

/**
 * Return the parameter of a chosen theta; none for that of the network.
 * @param {Pick<WalkPicture, "chosenTheta">} picture
 * @returns {Record<string, string>}
 */
export const thetaQuery = ({ chosenTheta }) =>
  chosenTheta
    ? { [PARAMETER]: chosenTheta.map((value) => String(Number(value.toFixed(DIGITS)))).join(",") }
    : {};
