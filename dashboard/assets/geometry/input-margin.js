// The margin drawn around an input image, where a region beyond its edge can be seen. Pure.

/**
 * Return the margin's width, in pixels of the input.
 * @param {number} height of the input
 * @param {number} width of the input
 */
export const inputMargin = (height, width) => Math.round(Math.max(height, width) / 6);

/**
 * Return an SVG's viewBox that covers an input and its margin, in pixels of the input.
 * @param {number} height of the input
 * @param {number} width of the input
 */
export function inputViewBox(height, width) {
  const margin = inputMargin(height, width);
  return [-margin, -margin, width + 2 * margin, height + 2 * margin].join(" ");
}
