// The chosen theta and output pixel as parameters of an address. Pure.

/** @import { WalkthroughPicture } from "./walkthrough-picture.js" */

const PARAMETER = "theta";
const PIXEL = "pixel";
const NUMBER_COUNT = 6;
// As a link writes it.
const DECIMALS = 4;

/**
 * Return the theta in an address; null if it has none.
 * @param {URLSearchParams} query
 * @param {number} [count] of its numbers
 * @returns {number[] | null}
 */
export function readTheta(query, count = NUMBER_COUNT) {
  const numbers = (query.get(PARAMETER) ?? "").split(",").map((text) => text.trim());
  if (numbers.length !== count || numbers.includes("")) return null;
  const theta = numbers.map(Number);
  return theta.every(Number.isFinite) ? theta : null;
}

/**
 * Return the parameter of a chosen theta; none for that of the network.
 * @param {Pick<WalkthroughPicture, "chosenTheta">} picture
 * @returns {Record<string, string>}
 */
export const thetaQuery = ({ chosenTheta }) =>
  chosenTheta
    ? { [PARAMETER]: chosenTheta.map((value) => String(Number(value.toFixed(DECIMALS)))).join(",") }
    : {};

/**
 * Return the output pixel in an address, as column and row; null if it has none.
 * @param {URLSearchParams} query
 * @returns {[column: number, row: number] | null}
 */
export function readPixel(query) {
  const found = /^(\d{1,4}),(\d{1,4})$/.exec(query.get(PIXEL) ?? "");
  return found && [Number(found[1]), Number(found[2])];
}

/**
 * Return the parameter of the chosen output pixel; none before one is chosen.
 * @param {Pick<WalkthroughPicture, "pixel">} picture
 * @returns {Record<string, string>}
 */
export const pixelQuery = ({ pixel }) => (pixel ? { [PIXEL]: pixel.join() } : {});
