// Unpacks groups of frames, as backend/experiment/export/frame_groups.py packs them. Pure: no DOM, no network.
//
// Each filter is reversed with the arithmetic of that module, in the same order: both round alike, so that
// every number is the recorded one.

/** @import { Frame, FrameInfo, Tensor, Tensors } from "../protocol/types.js" */

/**
 * @typedef {object} GroupTensor
 * @property {string} name
 * @property {"U8" | "F32"} type
 * @property {number[]} shape over the frames: (F, N, ...)
 * @property {"delta" | "plane" | "theta" | "corners" | "median" | "zeros" | "border"} filter
 * @property {number} bytes
 */

/**
 * @typedef {object} GroupHeader
 * @property {FrameInfo[]} infos
 * @property {number | null} input number of the input of all frames; null if each has its own
 * @property {GroupTensor[]} tensors
 */

/** @typedef {Uint8Array | Float32Array} Numbers */

// Beyond which a sampling point is as far outside as at this distance.
const MAX_PIXELS = 1e6;
// The code of a difference that is not 0, 1 or -1.
const OTHER = 3;
// Channels of images in colour.
const RGB = 3;

/**
 * Decompress bytes.
 * @param {Uint8Array} bytes
 * @param {"deflate" | "gzip"} format
 */
export async function decompress(bytes, format = "deflate") {
  const part = /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  const stream = new Blob([part]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Return the header of a decompressed group.
 * @param {Uint8Array} data
 * @returns {GroupHeader}
 */
export function readGroupHeader(data) {
  return JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + headerLength(data))));
}

/** @param {Uint8Array} data */
const headerLength = (data) => new DataView(data.buffer, data.byteOffset).getUint32(0, true);

/**
 * Return the frames of a decompressed group, with their inputs.
 * @param {Uint8Array} data
 * @param {GroupHeader} header
 * @param {Tensor | null} input of all frames; null if each has its own
 * @returns {Frame[]}
 */
export function decodeGroup(data, { infos, tensors: entries }, input) {
  let offset = 4 + headerLength(data);
  /** @type {Map<string, {data: Numbers, shape: number[]}>} */
  const decoded = new Map();
  if (input) decoded.set("input", { data: input.data, shape: [1, ...input.shape] });
  for (const entry of entries) {
    const part = data.subarray(offset, offset + entry.bytes);
    decoded.set(entry.name, { data: decodeTensor(part, entry, decoded), shape: entry.shape });
    offset += entry.bytes;
  }
  return infos.map((info, frame) => {
    const tensors = /** @type {Tensors} */ (input ? { input } : {});
    for (const { name } of entries) tensors[name] = frameOf(decoded.get(name), frame);
    return { info, tensors };
  });
}

/**
 * @param {{data: Numbers, shape: number[]} | undefined} stack
 * @param {number} frame
 * @returns {Tensor}
 */
function frameOf(stack, frame) {
  const { data, shape: [, ...shape] } = /** @type {{data: Numbers, shape: number[]}} */ (stack);
  const size = count(shape);
  return { shape, data: data.subarray(frame * size, (frame + 1) * size) };
}

/** @param {number[]} shape */
const count = (shape) => shape.reduce((product, side) => product * side, 1);

/**
 * @param {Uint8Array} part
 * @param {GroupTensor} entry
 * @param {Map<string, {data: Numbers, shape: number[]}>} others that were decoded before
 * @returns {Numbers}
 */
function decodeTensor(part, { name, type, shape, filter }, others) {
  const transformer = name.slice(name.indexOf(".") + 1);
  const grid = others.get(`grid.${transformer}`);
  if (type === "U8") {
    const images = others.get("input");
    if ((filter === "zeros" || filter === "border") && grid && images) {
      const result = differencesOf(part, count(shape));
      addSampled(result, shape, grid, images, filter === "zeros");
      return result;
    }
    const result = part.slice();
    if (filter === "median") addMedian(result, shape);
    else addFramesBefore(result, count(shape.slice(1)));
    return result;
  }
  const ordered = unshuffle(part);
  const theta = others.get(`theta.${transformer}`);
  const images = others.get("input");
  if (filter === "plane") addPlane(ordered, shape);
  else if (filter === "theta" && theta && images) {
    addAffine(ordered, shape, theta.data, images.shape);
  } else if (filter === "corners" && grid) addCorners(ordered, grid);
  else addFramesBefore(ordered, count(shape.slice(1)));
  return floatsOf(ordered);
}

/**
 * Return differences from their codes of 2 bits; those that have none follow the codes.
 * @param {Uint8Array} bytes
 * @param {number} length of the result
 */
function differencesOf(bytes, length) {
  const result = new Uint8Array(length);
  let other = Math.ceil(length / 4);
  for (let index = 0; index < length; index++) {
    const code = (bytes[index >> 2] >> (2 * (index & 3))) & 3;
    if (code) result[index] = code === OTHER ? bytes[other++] : code === 1 ? 1 : 255;
  }
  return result;
}

/**
 * Reverse what the median of left, above and left + above - above left does not predict.
 * @param {Uint8Array} numbers
 * @param {number[]} shape (F, N, H, W, C)
 */
function addMedian(numbers, [, , height, width, channels]) {
  const line = width * channels;
  for (let index = 0; index < numbers.length; index += channels) {
    const column = index / channels % width;
    const row = Math.floor(index / line) % height;
    const green = channels === RGB ? numbers[index + 1] : 0;
    for (let channel = 0; channel < channels; channel++) {
      const at = index + channel;
      const left = column ? numbers[at - channels] : 0;
      const above = row ? numbers[at - line] : 0;
      const both = left + above - (row && column ? numbers[at - line - channels] : 0);
      const low = Math.min(left, above);
      const predicted = Math.max(low, Math.min(both, left + above - low));
      numbers[at] += predicted + (channel === 1 ? 0 : green);
    }
  }
}

/**
 * Reverse the differences from the frame before.
 * @param {Uint8Array | Int32Array} numbers
 * @param {number} size of a frame
 */
function addFramesBefore(numbers, size) {
  for (let index = size; index < numbers.length; index++) numbers[index] += numbers[index - size];
}

/**
 * Return signed differences, from codes whose first bytes come first.
 * @param {Uint8Array} bytes
 */
function unshuffle(bytes) {
  const length = bytes.length / 4;
  const result = new Int32Array(length);
  for (let index = 0; index < length; index++) {
    const code = bytes[index] | (bytes[index + length] << 8) |
      (bytes[index + 2 * length] << 16) | (bytes[index + 3 * length] << 24);
    result[index] = (code >>> 1) ^ -(code & 1);
  }
  return result;
}

/**
 * Return the integer of a number's bits, in the order of the numbers; the inverse of itself.
 * @param {number} bits
 */
const ordered = (bits) => bits ^ ((bits >> 31) & 0x7fffffff);

/**
 * Return the numbers whose ordered bits these are, in the same memory.
 * @param {Int32Array} integers
 */
function floatsOf(integers) {
  for (let index = 0; index < integers.length; index++) integers[index] = ordered(integers[index]);
  return new Float32Array(integers.buffer);
}

const scratch = new Float32Array(1);
const scratchBits = new Int32Array(scratch.buffer);

/** @param {number} value */
function orderedOf(value) {
  scratch[0] = value;
  return ordered(scratchBits[0]);
}

/** @param {number} integer */
function valueOf(integer) {
  scratchBits[0] = ordered(integer);
  return scratch[0];
}

/**
 * Reverse what a plane through three corners does not predict.
 * @param {Int32Array} numbers
 * @param {number[]} shape (F, N, rows, columns, 2)
 */
function addPlane(numbers, [frames, probes, rows, columns]) {
  const size = rows * columns * 2;
  const corners = [0, (columns - 1) * 2, (rows - 1) * columns * 2];
  for (let grid = 0; grid < frames * probes; grid++) {
    for (const axis of [0, 1]) {
      const start = grid * size + axis;
      for (const corner of corners) {
        if (grid >= probes) numbers[start + corner] += numbers[start + corner - probes * size];
      }
      const [origin, across, down] = corners.map((corner) =>
        finite(valueOf(numbers[start + corner]))
      );
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          const offset = (row * columns + column) * 2;
          if (corners.includes(offset)) continue;
          const x = column / (columns - 1);
          const y = row / (rows - 1);
          const predicted = (origin + (across - origin) * x) + (down - origin) * y;
          numbers[start + offset] += orderedOf(predicted);
        }
      }
    }
  }
}

/**
 * Reverse the differences of grids from those of affine parameters, which are rounded as in float32.
 * @param {Int32Array} numbers
 * @param {number[]} shape (F, N, rows, columns, 2)
 * @param {Numbers} theta (F, N, 6)
 * @param {number[]} images shape of the images (F or 1, N, H, W, C)
 */
function addAffine(numbers, [frames, probes, rows, columns], theta, [, , height, width]) {
  const [down, across] = [ticks(rows), ticks(columns)];
  const round = Math.fround;
  let index = 0;
  for (let grid = 0; grid < frames * probes; grid++) {
    const [a, b, c, d, e, f] = theta.subarray(6 * grid, 6 * grid + 6);
    for (const y of down) {
      for (const x of across) {
        const normalised = [
          round(round(round(a * x) + round(b * y)) + c),
          round(round(round(d * x) + round(e * y)) + f),
        ];
        for (const [axis, side] of [width, height].entries()) {
          const position = round(round(round(normalised[axis] + 1) / 2) * side);
          numbers[index++] += orderedOf(finite(position));
        }
      }
    }
  }
}

/**
 * Return -1 to 1 as `torch.linspace` does: from both ends, with a step of float32.
 * @param {number} count
 */
function ticks(count) {
  const step = Math.fround(2 / (count - 1));
  const tick = (/** @type {number} */ index) =>
    index < Math.floor(count / 2) ? -1 + step * index : 1 - step * (count - 1 - index);
  return Float32Array.from({ length: count }, (_, index) => tick(index));
}

/**
 * Reverse the differences from the corners of a grid.
 * @param {Int32Array} numbers (F, N, 4, 2)
 * @param {{data: Numbers, shape: number[]}} grid
 */
function addCorners(numbers, { data, shape: [frames, probes, rows, columns] }) {
  const size = rows * columns * 2;
  const cells = [0, columns - 1, rows * columns - 1, (rows - 1) * columns];
  // As integers: a NaN that is read as a number may have other bits afterwards.
  const bits = new Int32Array(data.buffer, data.byteOffset, data.length);
  for (let index = 0; index < frames * probes; index++) {
    cells.forEach((cell, corner) => {
      for (const axis of [0, 1]) {
        numbers[index * 8 + corner * 2 + axis] += ordered(bits[index * size + cell * 2 + axis]);
      }
    });
  }
}

/**
 * Reverse what sampling does not predict of an output.
 * @param {Uint8Array} numbers
 * @param {number[]} shape (F, N, height, width, C)
 * @param {{data: Numbers, shape: number[]}} grid
 * @param {{data: Numbers, shape: number[]}} images (F or 1, N, H, W, C)
 * @param {boolean} zeros whether images are 0 outside
 */
function addSampled(numbers, [frames, probes, height, width, channels], grid, images, zeros) {
  const [, , rows, columns] = grid.shape;
  const [imageFrames, , imageHeight, imageWidth] = images.shape;
  const down = intervals(height, rows);
  const across = intervals(width, columns);
  const { data: points } = grid;
  /**
   * @param {number} start of the grid
   * @param {number} row
   * @param {number} column
   * @param {number} axis
   */
  const position = (start, row, column, axis) => {
    const { before: i, fraction: v } = down;
    const { before: j, fraction: u } = across;
    const at = start + (i[row] * columns + j[column]) * 2 + axis;
    const below = at + columns * 2;
    const top = interpolate(finite(points[at]), finite(points[at + 2]), u[column]);
    const bottom = interpolate(finite(points[below]), finite(points[below + 2]), u[column]);
    return Math.min(MAX_PIXELS, Math.max(-MAX_PIXELS, interpolate(top, bottom, v[row]))) - 0.5;
  };
  const sampler = { data: images.data, imageHeight, imageWidth, channels, zeros };
  for (let index = 0; index < frames * probes; index++) {
    const gridStart = index * rows * columns * 2;
    const image = imageFrames === 1 ? index % probes : index;
    const imageStart = image * imageHeight * imageWidth * channels;
    let offset = index * height * width * channels;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const x = position(gridStart, row, column, 0);
        const y = position(gridStart, row, column, 1);
        for (let channel = 0; channel < channels; channel++) {
          numbers[offset++] += sampleAt(sampler, imageStart + channel, x, y);
        }
      }
    }
  }
}

/**
 * Return one number of an image between four pixels, rounded.
 * @param {{data: Numbers, imageHeight: number, imageWidth: number, channels: number, zeros: boolean}} sampler
 * @param {number} start of the image's channel
 * @param {number} x
 * @param {number} y
 */
function sampleAt({ data, imageHeight, imageWidth, channels, zeros }, start, x, y) {
  const left = Math.floor(x);
  const top = Math.floor(y);
  /**
   * @param {number} row
   * @param {number} column
   */
  const at = (row, column) => {
    const r = Math.min(imageHeight - 1, Math.max(0, row));
    const c = Math.min(imageWidth - 1, Math.max(0, column));
    if (zeros && (r !== row || c !== column)) return 0;
    return data[start + (r * imageWidth + c) * channels];
  };
  const upper = interpolate(at(top, left), at(top, left + 1), x - left);
  const lower = interpolate(at(top + 1, left), at(top + 1, left + 1), x - left);
  return Math.floor(interpolate(upper, lower, y - top) + 0.5);
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} fraction
 */
const interpolate = (low, high, fraction) => low + (high - low) * fraction;

/** @param {number} value */
const finite = (value) => (Number.isFinite(value) ? value : 0);

/**
 * Return for each pixel of a side the grid's point before its centre, and the fraction beyond it.
 * @param {number} pixels
 * @param {number} points
 */
function intervals(pixels, points) {
  const before = new Int32Array(pixels);
  const fraction = new Float64Array(pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const position = (pixel + 0.5) / pixels * (points - 1);
    before[pixel] = Math.floor(position);
    fraction[pixel] = position - before[pixel];
  }
  return { before, fraction };
}
