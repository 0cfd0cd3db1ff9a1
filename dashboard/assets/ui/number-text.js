// Numbers as text. Pure.

/**
 * Return "83.2%", or a dash if there is no number.
 * @param {number | null | undefined} value
 */
export const percent = (value, digits = 1) =>
  isNumber(value) ? `${(100 * value).toFixed(digits)}%` : "–";

/**
 * Return "0.412", or a dash if there is no number; with a minus sign, but none before a zero.
 * @param {number | null | undefined} value
 */
export const decimal = (value, digits = 3) => {
  if (!isNumber(value)) return "–";
  const absolute = Math.abs(value);
  // A large number has no space for all its digits, and they would add nothing.
  const text = absolute < 1000
    ? absolute.toFixed(digits)
    : absolute < 1e5
    ? absolute.toFixed(0)
    : absolute.toExponential(0);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
};

/**
 * Return a number of any size with three significant digits, such as "0.412", "1230" or "1.00e-5"; a
 * dash if there is none.
 * @param {number | null | undefined} value
 */
export function significant(value) {
  if (!isNumber(value)) return "–";
  const absolute = Math.abs(value);
  const isPlain = absolute === 0 || (absolute >= 1e-3 && absolute < 1e5);
  const text = !isPlain
    ? absolute.toExponential(2)
    : absolute >= 1000
    ? absolute.toFixed(0)
    : absolute.toPrecision(3);
  return value < 0 ? `\u2212${text}` : text;
}

/**
 * Return "1 234": thousands separated by a narrow space, or a dash if there is no number.
 * @param {number | null | undefined} value
 */
export const integer = (value) =>
  isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–";

/**
 * Return "12 s", "3 min", "2 h": coarser the longer it is.
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/**
 * Return "1.2 MB", "340 kB".
 * @param {number} bytes
 */
export const fileSize = (bytes) =>
  bytes < 999_500
    ? `${Math.max(1, Math.round(bytes / 1000))} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * @param {unknown} value
 * @returns {value is number}
 */
export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
