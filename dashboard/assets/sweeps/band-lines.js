// The geometry of a chart of bands: a line of means, and around it the range over seeds. Pure.

/** @import { SweepCurve } from "../protocol/types.js" */

// Of a chart, in its own units.
export const WIDTH = 460;
export const HEIGHT = 200;
const LEFT = 40;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 30;
const TICKS = 4;
// Half the width of a curve of a single point: a path of one point draws nothing.
const MARK = 4;
// Minimum span of the values that a chart shows: one percentage point.
const MIN_SPAN = 0.01;

/**
 * The part of the values that a chart shows.
 * @typedef {object} Extent
 * @property {number} epochs at the right edge
 * @property {number} low at the lower edge
 * @property {number} high at the upper edge
 * @property {number[]} levels values with a line
 * @property {number[]} marks epochs with a number
 */

/**
 * Return the extent of some curves.
 * @param {SweepCurve[]} curves
 * @param {number} epochs at the right edge
 * @param {boolean} isFromZero whether the lower edge is 0
 * @returns {Extent}
 */
export function extentOf(curves, epochs, isFromZero) {
  const lows = curves.flatMap(({ low }) => low);
  const highs = curves.flatMap(({ high }) => high);
  const low = isFromZero || !lows.length ? 0 : Math.min(...lows);
  const high = highs.length ? Math.max(...highs) : 1;
  const levels = ticks(low, Math.max(high, low + MIN_SPAN));
  const marks = ticks(0, epochs).filter((mark) => mark <= epochs);
  return { epochs, low: levels[0], high: levels[levels.length - 1], levels, marks };
}

/**
 * Return round numbers from below a range to above it. Exported for tests.
 * @param {number} low
 * @param {number} high
 */
export function ticks(low, high) {
  const span = high - low;
  const power = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = power * ([1, 2, 2.5, 5].find((each) => each * power * TICKS >= span) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from(
    { length: last - first + 1 },
    (_, index) => Number(((first + index) * step).toPrecision(12)),
  );
}

/**
 * @param {Extent} extent
 * @param {number} epoch
 */
export const xOf = (extent, epoch) => LEFT + (epoch / extent.epochs) * (WIDTH - LEFT - RIGHT);

/**
 * @param {Extent} extent
 * @param {number} value
 */
export const yOf = ({ low, high }, value) =>
  TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);

/**
 * @param {Extent} extent
 * @param {SweepCurve} curve
 */
export function meanPath(extent, { epoch, mean }) {
  const points = mean.map((value, index) => point(extent, epoch[index], value));
  return points.length === 1
    ? `${markStart(extent, epoch[0], mean[0])}h${2 * MARK}`
    : `M${points.join("L")}`;
}

/**
 * @param {Extent} extent
 * @param {SweepCurve} curve
 */
export function bandPath(extent, { epoch, low, high }) {
  if (!epoch.length) return "";
  const upper = high.map((value, index) => point(extent, epoch[index], value));
  const lower = low.map((value, index) => point(extent, epoch[index], value));
  if (upper.length === 1) {
    const height = yOf(extent, low[0]) - yOf(extent, high[0]);
    const start = markStart(extent, epoch[0], high[0]);
    return `${start}h${2 * MARK}v${height.toFixed(1)}h${-2 * MARK}Z`;
  }
  return `M${[...upper, ...lower.reverse()].join("L")}Z`;
}

/**
 * Return where the mark of a single point begins, which is about the point but within the chart.
 * @param {Extent} extent
 * @param {number} epoch
 * @param {number} value
 */
function markStart(extent, epoch, value) {
  const left = Math.max(LEFT, Math.min(xOf(extent, epoch) - MARK, WIDTH - RIGHT - 2 * MARK));
  return `M${left.toFixed(1)} ${yOf(extent, value).toFixed(1)}`;
}

/**
 * @param {Extent} extent
 * @param {number} epoch
 * @param {number} value
 */
const point = (extent, epoch, value) =>
  `${xOf(extent, epoch).toFixed(1)} ${yOf(extent, value).toFixed(1)}`;
