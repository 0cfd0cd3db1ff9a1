// Stillness: how much a transformer's output changes over frames relative to its input. The same numbers
// as backend/experiment/frames/stillness.py, for one probe. Pure.

/**
 * An image in bytes, (H, W, C) row by row.
 * @typedef {{data: ArrayLike<number>, shape: number[]}} Image
 */

const EPSILON = 1e-9;

/**
 * Return the stillness over frames: the ratio of the outputs' deviation over time to that over space,
 * divided by the same of the inputs, resized to the outputs; 1 is no better than the input.
 * @param {Image[]} inputs
 * @param {Image[]} outputs one for each input
 * @returns {number | null} null where it is undefined: nothing moves, or an image is uniform
 */
export function stillness(inputs, outputs) {
  if (!outputs.length) return null;
  const [height, width] = outputs[0].shape;
  const input = temporalRatio(inputs.map((image) => resize(image, height, width)));
  const output = temporalRatio(outputs.map(({ data }) => Float64Array.from(data)));
  return Number.isFinite(input) && Number.isFinite(output) && input > EPSILON
    ? output / input
    : null;
}

/**
 * Return the standard deviation over time divided by that over space; NaN for uniform images.
 * @param {Float64Array[]} images
 */
function temporalRatio(images) {
  const { length } = images[0];
  const [sums, squares] = [new Float64Array(length), new Float64Array(length)];
  let spatial = 0;
  for (const image of images) {
    let [sum, square] = [0, 0];
    for (let index = 0; index < length; index++) {
      const value = image[index];
      sums[index] += value;
      squares[index] += value * value;
      sum += value;
      square += value * value;
    }
    spatial += square / length - (sum / length) ** 2;
  }
  const count = images.length;
  let temporal = 0;
  for (let index = 0; index < length; index++) {
    temporal += Math.max(0, squares[index] / count - (sums[index] / count) ** 2);
  }
  return spatial / count > EPSILON ? Math.sqrt(temporal / length / (spatial / count)) : NaN;
}

/**
 * Resize an image; each pixel is the mean of the area it covers.
 * @param {Image} image
 * @param {number} height
 * @param {number} width
 */
function resize({ data, shape: [rows, columns, channels] }, height, width) {
  const [down, across] = [areaWeights(rows, height), areaWeights(columns, width)];
  const resized = new Float64Array(height * width * channels);
  down.forEach((rowWeights, row) => {
    across.forEach((columnWeights, column) => {
      const target = (row * width + column) * channels;
      for (const [y, rowWeight] of rowWeights) {
        for (const [x, columnWeight] of columnWeights) {
          const source = (y * columns + x) * channels;
          for (let channel = 0; channel < channels; channel++) {
            resized[target + channel] += rowWeight * columnWeight * data[source + channel];
          }
        }
      }
    });
  });
  return resized;
}

/**
 * Return the old pixels that each new one covers, with their weights.
 * @param {number} oldSide
 * @param {number} newSide
 * @returns {[number, number][][]}
 */
function areaWeights(oldSide, newSide) {
  const ratio = oldSide / newSide;
  return Array.from({ length: newSide }, (_, index) => {
    const [from, to] = [index * ratio, (index + 1) * ratio];
    /** @type {[number, number][]} */
    const weights = [];
    for (let pixel = Math.floor(from); pixel < Math.min(oldSide, Math.ceil(to)); pixel++) {
      const overlap = Math.min(to, pixel + 1) - Math.max(from, pixel);
      if (overlap > 0) weights.push([pixel, overlap / ratio]);
    }
    return weights;
  });
}
