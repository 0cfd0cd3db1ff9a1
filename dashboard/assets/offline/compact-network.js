// The networks of the walkthrough, computed in the browser: the compact ST-CNN for digits, and the compact CNN. Pure.
//
// Their layers are those of models/architectures/compact.py, whose weights they read; a test compares them.

import { applyLayers, inputGradient, softmax } from "./network-layers.js";
import { MATRIX_2X3, pixelCentres, warpPoints } from "../geometry/theta-grid.js";

/** @import { Applied, Layer, Values, Weights } from "./network-layers.js" */

const LOCALISATION = "stages.0.localisation.";
/** Height and width of the transformer's output. */
export const OUTPUT_SIZE = [28, 28];

/** @type {Layer[]} */
const MAPS = [
  { kind: "conv", name: `${LOCALISATION}maps.0`, stride: 4, padding: 2 },
  { kind: "norm", name: `${LOCALISATION}maps.1` },
  { kind: "relu" },
  { kind: "conv", name: `${LOCALISATION}maps.3`, padding: 1 },
  { kind: "norm", name: `${LOCALISATION}maps.4` },
  { kind: "relu" },
  { kind: "conv", name: `${LOCALISATION}maps.6`, padding: 1 },
  { kind: "norm", name: `${LOCALISATION}maps.7` },
  { kind: "relu" },
];
/** @type {Layer[]} */
const PEAKS = [
  { kind: "conv", name: `${LOCALISATION}peaks.0` },
  { kind: "peaks", name: `${LOCALISATION}peaks.1` },
];
/** @type {Layer[]} */
const LOOKS = [
  { kind: "maxPool" },
  { kind: "linear", name: `${LOCALISATION}looks.2` },
  { kind: "relu" },
];
/** @type {Layer[]} */
const THETA = [
  { kind: "linear", name: `${LOCALISATION}mix.0` },
  { kind: "relu" },
  { kind: "linear", name: "stages.0.regression" },
];

/**
 * Return the layers of the classifier.
 * @param {string} stage begins the names of its weights
 * @returns {Layer[]}
 */
const classifier = (stage) => [
  { kind: "averagePool" },
  { kind: "conv", name: `${stage}.1`, padding: 1 },
  { kind: "norm", name: `${stage}.2` },
  { kind: "relu" },
  { kind: "conv", name: `${stage}.4`, padding: 1 },
  { kind: "maxPool" },
  { kind: "norm", name: `${stage}.6` },
  { kind: "relu" },
  { kind: "linear", name: `${stage}.10` },
  { kind: "norm", name: `${stage}.11` },
  { kind: "relu" },
  { kind: "linear", name: `${stage}.13` },
];

const WITH_TRANSFORMER = classifier("stages.1");
const WITHOUT_TRANSFORMER = classifier("stages.0");

/** @param {Weights} weights */
export const hasTransformer = (weights) => "stages.0.regression.weight" in weights;

/**
 * Return theta as the localisation network predicts it, with its maps.
 * @param {Weights} weights
 * @param {Values} image (1, H, W) in [0, 1]
 * @returns {{theta: number[], maps: Values[]}} the maps after each ReLU
 */
export function localise(weights, image) {
  const applied = applyLayers(MAPS, weights, image);
  const maps = applied.filter(({ layer }) => layer.kind === "relu").map(({ output }) => output);
  const last = maps[maps.length - 1];
  const features = [PEAKS, LOOKS].flatMap((layers) => [
    ...lastOutput(applyLayers(layers, weights, last)).data,
  ]);
  const featureTensor = { data: Float32Array.from(features), shape: [features.length] };
  return { theta: [...lastOutput(applyLayers(THETA, weights, featureTensor)).data], maps };
}

/** @param {Applied[]} applied */
const lastOutput = (applied) => applied[applied.length - 1].output;

/**
 * Sample an image at normalised points; black outside.
 * @param {Values} image (1, H, W)
 * @param {ArrayLike<number>} points (x, y) of each output pixel
 * @param {number[]} size height and width of the output
 * @returns {{output: Values, slopes: Float32Array}} the slopes of each value along x and y, per pixel
 */
export function sample({ data, shape: [, height, width] }, points, size) {
  const output = new Float32Array(size[0] * size[1]);
  const slopes = new Float32Array(2 * output.length);
  /**
   * @param {number} row
   * @param {number} column
   */
  const at = (row, column) =>
    row < 0 || row >= height || column < 0 || column >= width ? 0 : data[row * width + column];
  for (let index = 0; index < output.length; index++) {
    const x = ((points[2 * index] + 1) * width - 1) / 2;
    const y = ((points[2 * index + 1] + 1) * height - 1) / 2;
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [right, down] = [x - left, y - top];
    const [a, b] = [at(top, left), at(top, left + 1)];
    const [c, d] = [at(top + 1, left), at(top + 1, left + 1)];
    output[index] = (a * (1 - right) + b * right) * (1 - down) +
      (c * (1 - right) + d * right) * down;
    slopes[2 * index] = (b - a) * (1 - down) + (d - c) * down;
    slopes[2 * index + 1] = (c - a) * (1 - right) + (d - b) * right;
  }
  return { output: { data: output, shape: [1, ...size] }, slopes };
}

/**
 * Return the probabilities of the classes for an image, or for the output that theta samples of it.
 * @param {Weights} weights
 * @param {Values} image (1, H, W) in [0, 1]
 * @param {number[] | null} theta null without a transformer
 */
export function classify(weights, image, theta) {
  const input = theta ? sample(image, samplingPoints(theta), OUTPUT_SIZE).output : image;
  const layers = theta ? WITH_TRANSFORMER : WITHOUT_TRANSFORMER;
  return softmax(lastOutput(applyLayers(layers, weights, input)).data);
}

/**
 * Return where theta samples each output pixel, normalised.
 * @param {number[]} theta
 */
export const samplingPoints = (theta) => warpPoints(MATRIX_2X3, theta, CENTRES);

const CENTRES = pixelCentres(OUTPUT_SIZE[0], OUTPUT_SIZE[1]);

/**
 * Return the loss of a class, and its gradients with respect to theta and the sampling points.
 * @param {Weights} weights
 * @param {Values} image (1, H, W) in [0, 1]
 * @param {number[]} theta
 * @param {number} label index of the class
 * @returns {{loss: number, probabilities: number[], theta: number[], grid: Float32Array}} that of the points
 *   in pixels of the image
 */
export function thetaGradient(weights, image, theta, label) {
  const [height, width] = image.shape.slice(1);
  const { output, slopes } = sample(image, samplingPoints(theta), OUTPUT_SIZE);
  const applied = applyLayers(WITH_TRANSFORMER, weights, output);
  const probabilities = softmax(lastOutput(applied).data);
  const logitsGradient = Float32Array.from(
    probabilities,
    (probability, index) => probability - (index === label ? 1 : 0),
  );
  const outputGradient = inputGradient(applied, weights, logitsGradient);
  const grid = slopes.map((slope, index) => slope * outputGradient[index >> 1]);
  const gradient = [0, 0, 0, 0, 0, 0];
  for (let index = 0; index < outputGradient.length; index++) {
    const point = [CENTRES[2 * index], CENTRES[2 * index + 1], 1];
    point.forEach((coordinate, column) => {
      gradient[column] += (grid[2 * index] * width / 2) * coordinate;
      gradient[3 + column] += (grid[2 * index + 1] * height / 2) * coordinate;
    });
  }
  return { loss: -Math.log(probabilities[label]), probabilities, theta: gradient, grid };
}
