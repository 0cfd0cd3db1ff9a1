// The layers of a small network, computed in the browser: their outputs, and the gradients of their inputs. Pure.

/** @import { Tensor } from "../protocol/types.js" */

/**
 * What flows between layers: channels, rows and columns, or a vector.
 * @typedef {object} Values
 * @property {Float32Array} data
 * @property {number[]} shape (C, H, W) or (F)
 */

/** @typedef {{[name: string]: Tensor}} Weights */

/**
 * A layer; `name` begins the names of its weights.
 * @typedef {{kind: "conv", name: string, stride?: number, padding?: number}
 *   | {kind: "norm", name: string}
 *   | {kind: "linear", name: string}
 *   | {kind: "peaks", name: string}
 *   | {kind: "relu"}
 *   | {kind: "maxPool"}
 *   | {kind: "averagePool"}} Layer
 */

/**
 * A layer's input and output.
 * @typedef {{layer: Layer, input: Values, output: Values}} Applied
 */

// As torch's batch normalisation has it.
const EPSILON = 1e-5;

/**
 * Apply layers one after another.
 * @param {Layer[]} layers
 * @param {Weights} weights
 * @param {Values} input
 * @returns {Applied[]}
 */
export function applyLayers(layers, weights, input) {
  const applied = [];
  for (const layer of layers) {
    const output = applyLayer(layer, weights, input);
    applied.push({ layer, input, output });
    input = output;
  }
  return applied;
}

/**
 * Return the gradient of the first layer's input.
 * @param {Applied[]} applied
 * @param {Weights} weights
 * @param {Float32Array} gradient of the last layer's output
 */
export function inputGradient(applied, weights, gradient) {
  return applied.reduceRight((result, each) => layerGradient(each, weights, result), gradient);
}

/**
 * @param {Layer} layer
 * @param {Weights} weights
 * @param {Values} input
 * @returns {Values}
 */
function applyLayer(layer, weights, input) {
  const { data, shape } = input;
  switch (layer.kind) {
    case "conv":
      return convolve(input, convolution(layer, weights));
    case "linear": {
      const { weight, bias } = named(weights, layer.name);
      const [outputs, inputs] = weight.shape;
      const output = new Float32Array(outputs);
      for (let row = 0; row < outputs; row++) {
        let sum = bias.data[row];
        for (let index = 0; index < inputs; index++) {
          sum += weight.data[row * inputs + index] * data[index];
        }
        output[row] = sum;
      }
      return { data: output, shape: [outputs] };
    }
    case "norm": {
      const { scale, shift } = normalisation(weights, layer.name);
      const size = data.length / shape[0];
      return {
        data: data.map((value, at) => value * scale[(at / size) | 0] + shift[(at / size) | 0]),
        shape,
      };
    }
    case "relu":
      return { data: data.map((value) => Math.max(0, value)), shape };
    case "maxPool":
      return pool(input, (a, b, c, d) => Math.max(a, b, c, d));
    case "averagePool":
      return pool(input, (a, b, c, d) => (a + b + c + d) / 4);
    case "peaks":
      return peaks(input, named(weights, layer.name).sharpness.data);
  }
}

/**
 * @param {Applied} applied
 * @param {Weights} weights
 * @param {Float32Array} gradient of the output
 * @returns {Float32Array} of the input
 */
function layerGradient({ layer, input, output }, weights, gradient) {
  const result = new Float32Array(input.data.length);
  const { shape } = input;
  switch (layer.kind) {
    case "conv": {
      const { weight, ...geometry } = convolution(layer, weights);
      const { data } = weight;
      const { stride } = geometry;
      forEachRow(shape, output.shape, weight.shape, geometry, (to, from, count, at) => {
        const factor = data[at];
        for (let column = 0; column < count; column++) {
          result[from + column * stride] += gradient[to + column] * factor;
        }
      });
      return result;
    }
    case "linear": {
      const { weight } = named(weights, layer.name);
      const [outputs, inputs] = weight.shape;
      for (let row = 0; row < outputs; row++) {
        for (let index = 0; index < inputs; index++) {
          result[index] += gradient[row] * weight.data[row * inputs + index];
        }
      }
      return result;
    }
    case "norm": {
      const { scale } = normalisation(weights, layer.name);
      const size = result.length / shape[0];
      return result.map((_, at) => gradient[at] * scale[(at / size) | 0]);
    }
    case "relu":
      return result.map((_, at) => (input.data[at] > 0 ? gradient[at] : 0));
    case "maxPool":
      forEachWindow(shape, (to, ...window) => {
        // The first of equal ones, as in torch.
        const largest = window.find((at) => input.data[at] === output.data[to]);
        if (largest !== undefined) result[largest] += gradient[to];
      });
      return result;
    case "averagePool":
      forEachWindow(shape, (to, ...window) => {
        for (const at of window) result[at] += gradient[to] / 4;
      });
      return result;
    case "peaks":
      throw new Error("The gradient of a localisation network is not computed.");
  }
}

/**
 * Return the weights whose names begin with a layer's name.
 * @param {Weights} weights
 * @param {string} name
 */
function named(weights, name) {
  /** @type {Weights} */
  const found = {};
  for (const [key, tensor] of Object.entries(weights)) {
    if (key.startsWith(`${name}.`)) found[key.slice(name.length + 1)] = tensor;
  }
  return found;
}

/**
 * @param {Layer & {kind: "conv"}} layer
 * @param {Weights} weights
 */
function convolution({ name, stride = 1, padding = 0 }, weights) {
  const { weight, bias } = named(weights, name);
  return { weight, bias: bias?.data ?? null, stride, padding };
}

/**
 * Return what a batch normalisation multiplies each channel by, and adds to it.
 * @param {Weights} weights
 * @param {string} name
 */
function normalisation(weights, name) {
  const { weight, bias, running_mean: mean, running_var: variance } = named(weights, name);
  const scale = Array.from(
    weight.data,
    (value, channel) => value / Math.sqrt(variance.data[channel] + EPSILON),
  );
  const shift = scale.map((value, channel) => bias.data[channel] - mean.data[channel] * value);
  return { scale, shift };
}

/**
 * @param {Values} input
 * @param {{weight: Tensor, bias: ArrayLike<number> | null, stride: number, padding: number}} convolution
 * @returns {Values}
 */
function convolve({ data, shape }, { weight, bias, stride, padding }) {
  const [outputs, , kernel] = weight.shape;
  const [height, width] = shape.slice(1).map((side) =>
    Math.floor((side + 2 * padding - kernel) / stride) + 1
  );
  const outputShape = [outputs, height, width];
  const result = new Float32Array(outputs * height * width);
  if (bias) result.forEach((_, at) => (result[at] = bias[(at / (height * width)) | 0]));
  const { data: factors } = weight;
  forEachRow(shape, outputShape, weight.shape, { stride, padding }, (to, from, count, at) => {
    const factor = factors[at];
    for (let column = 0; column < count; column++) {
      result[to + column] += data[from + column * stride] * factor;
    }
  });
  return { data: result, shape: outputShape };
}

/**
 * Call a function for each row of an output and each weight that contributes to it: the row's first output and
 * input that meet inside the input, how many do, and the weight.
 * @param {number[]} shape of the input
 * @param {number[]} outputShape
 * @param {number[]} weightShape
 * @param {{stride: number, padding: number}} geometry
 * @param {(output: number, input: number, count: number, weight: number) => void} apply
 */
function forEachRow(
  [, rows, columns],
  [, height, width],
  [outputs, inputs, kernel],
  { stride, padding },
  apply,
) {
  for (let at = 0; at < outputs * inputs * kernel * kernel; at++) {
    const across = at % kernel - padding;
    const down = ((at / kernel) | 0) % kernel - padding;
    const input = ((at / (kernel * kernel)) | 0) % inputs;
    const output = (at / (kernel * kernel * inputs)) | 0;
    const first = Math.max(0, Math.ceil(-across / stride));
    const last = Math.min(width - 1, Math.floor((columns - 1 - across) / stride));
    for (let row = 0; row < height; row++) {
      const y = row * stride + down;
      if (y < 0 || y >= rows) continue;
      const from = (input * rows + y) * columns + first * stride + across;
      apply((output * height + row) * width + first, from, last - first + 1, at);
    }
  }
}

/**
 * Pool windows of 2 x 2.
 * @param {Values} input
 * @param {(a: number, b: number, c: number, d: number) => number} combine
 * @returns {Values}
 */
function pool({ data, shape }, combine) {
  const [channels, rows, columns] = shape;
  const outputShape = [channels, rows >> 1, columns >> 1];
  const result = new Float32Array(channels * outputShape[1] * outputShape[2]);
  forEachWindow(shape, (to, a, b, c, d) => {
    result[to] = combine(data[a], data[b], data[c], data[d]);
  });
  return { data: result, shape: outputShape };
}

/**
 * @param {number[]} shape of the input
 * @param {(output: number, a: number, b: number, c: number, d: number) => void} apply
 */
function forEachWindow([channels, rows, columns], apply) {
  const [height, width] = [rows >> 1, columns >> 1];
  for (let to = 0; to < channels * height * width; to++) {
    const [channel, row, column] = [
      (to / (height * width)) | 0,
      ((to / width) | 0) % height,
      to % width,
    ];
    const from = (channel * rows + 2 * row) * columns + 2 * column;
    apply(to, from, from + 1, from + columns, from + columns + 1);
  }
}

/**
 * Return the expected position (x, y) of each channel under its softmax.
 * @param {Values} input
 * @param {ArrayLike<number>} sharpness
 * @returns {Values}
 */
function peaks({ data, shape: [channels, height, width] }, sharpness) {
  const result = new Float32Array(2 * channels);
  const size = height * width;
  for (let channel = 0; channel < channels; channel++) {
    const values = Array.from(
      data.subarray(channel * size, (channel + 1) * size),
      (value) => value * sharpness[channel],
    );
    softmax(values).forEach((share, at) => {
      result[2 * channel] += share * ((2 * (at % width) + 1) / width - 1);
      result[2 * channel + 1] += share * ((2 * ((at / width) | 0) + 1) / height - 1);
    });
  }
  return { data: result, shape: [2 * channels] };
}

/**
 * Return the softmax of some values.
 * @param {ArrayLike<number>} values
 */
export function softmax(values) {
  const all = Array.from(values);
  const largest = Math.max(...all);
  const exponentials = all.map((value) => Math.exp(value - largest));
  const sum = exponentials.reduce((total, each) => total + each);
  return exponentials.map((each) => each / sum);
}
