// What a trained network does with a picture, computed in the browser, for the pictures that ship.

import {
  classify,
  hasTransformer,
  localise,
  OUTPUT_SIZE,
  sample,
  samplingPoints,
  thetaGradient,
} from "./compact-network.js";
import { assetUrl } from "../protocol/assets.js";
import { familyEntries } from "../protocol/catalog.js";
import {
  LATTICE_SIDE,
  latticePoints,
  MATRIX_2X3,
  pixelCentres,
  toPixels,
  warpPoints,
} from "../geometry/theta-grid.js";
import { Problem } from "../protocol/api.js";
import { readTensors } from "../protocol/frame.js";

/** @import { Frame, FrameInfo, Tensor, Tensors } from "../protocol/types.js" */
/** @import { TransformRequest, Variation } from "../protocol/transform-stream.js" */
/** @import { Values, Weights } from "./network-layers.js" */

// The network's inputs that are made from the pictures, each by a digest of its file, as
// tools/make_walkthrough_example.py writes them.
const PICTURES = "walkthrough/pictures.safetensors";
const TRANSFORMER = "st";
const CLASSES = Array.from({ length: 10 }, (_, index) => String(index));
const MAP_LAYERS = ["maps.2", "maps.5", "maps.8"];
const OTHER_PICTURE =
  "Another picture needs a server: open it on the page that stnscope serve shows. " +
  "The digits that ship are shown here too.";

/** Transforms the pictures that ship. */
export class PictureNetwork {
  /** @param {(name: string) => URL} weightsUrl address of the weights of a name */
  constructor(weightsUrl) {
    this.weightsUrl = weightsUrl;
    /** @type {Map<string, Promise<Weights>>} */
    this.files = new Map(); // by address
  }

  /**
   * Return the frame of a picture.
   * @param {Blob} image its file
   * @param {string} weights
   * @returns {Promise<Frame>}
   * @throws {Problem} it is not one of those that ship
   */
  async transform(image, weights) {
    const picture = digest(new Uint8Array(await image.arrayBuffer()));
    return this.compute({ picture, weights });
  }

  /**
   * Return the frame of a request.
   * @param {TransformRequest} request
   * @returns {Promise<Frame>}
   * @throws {Problem} it needs a server
   */
  async compute(
    { picture = "", weights: name = "", theta: given, variation, gradient, steps, maps },
  ) {
    const pictures = await this.#load(await assetUrl(PICTURES));
    const stored = pictures[picture];
    if (!stored) throw new Problem(OTHER_PICTURE, 404);
    const weights = await this.#load(this.weightsUrl(name).href);
    const image = varied(stored, variation ?? {});
    if (!hasTransformer(weights)) return withoutTransformer(weights, name, picture, image);
    const localised = localise(weights, image);
    let theta = given?.[TRANSFORMER] ?? localised.theta;
    /** @type {Object<string, Tensor>} */
    const further = {};
    /** @type {Partial<FrameInfo>} */
    const info = {};
    if (steps) theta = takeSteps(weights, image, theta, steps, further);
    if (gradient) {
      const found = thetaGradient(weights, image, theta, gradient.class);
      further[`gradient.theta.${TRANSFORMER}`] = floats(found.theta, [1, 6]);
      further[`gradient.grid.${TRANSFORMER}`] = floats(found.grid, [1, ...OUTPUT_SIZE, 2]);
      info.gradient = { class: gradient.class, loss: found.loss };
    }
    if (maps) {
      info.maps = localised.maps.map((values, index) => {
        further[`maps.${TRANSFORMER}.${index}`] = stretched(values);
        return { transformer: TRANSFORMER, index, layer: MAP_LAYERS[index], shape: values.shape };
      });
    }
    const frame = frameOf(weights, name, picture, image, theta);
    return {
      info: { ...frame.info, ...info },
      tensors: /** @type {Tensors} */ ({ ...frame.tensors, ...further }),
    };
  }

  /** @param {string} address */
  #load(address) {
    let loading = this.files.get(address);
    if (!loading) {
      loading = load(address);
      this.files.set(address, loading);
      loading.catch(() => this.files.delete(address));
    }
    return loading;
  }
}

/**
 * @param {string} address
 * @returns {Promise<Weights>}
 * @throws {Problem} the file is missing, or the server does not respond
 */
async function load(address) {
  const response = await fetch(address).catch(() => null);
  if (!response?.ok) {
    throw new Problem("The network cannot be loaded. Reload the page.", response?.status);
  }
  return readTensors(new Uint8Array(await response.arrayBuffer()));
}

/**
 * Return the digest of a file (FNV-1a). Exported for tests.
 * @param {Uint8Array} bytes
 */
export function digest(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

/**
 * Return an image that is moved, rotated and scaled, as backend/experiment/distortions/picture_variation.py does.
 * @param {Tensor} image (H, W) in [0, 1]
 * @param {Variation} variation
 * @returns {Values}
 */
function varied({ data, shape }, variation) {
  const { rotation = 0, scale = 1, shift_x: right = 0, shift_y: down = 0 } = variation;
  const image = { data: /** @type {Float32Array} */ (data), shape: [1, ...shape] };
  if (rotation === 0 && scale === 1 && right === 0 && down === 0) return image;
  const [height, width] = shape;
  const [cosine, sine] = [Math.cos(rotation * Math.PI / 180), Math.sin(rotation * Math.PI / 180)];
  const points = pixelCentres(height, width);
  for (let at = 0; at < points.length; at += 2) {
    // In pixels, so that rotation does not shear.
    const x = (points[at] - right) * width / 2;
    const y = (points[at + 1] - down) * height / 2;
    points[at] = (x * cosine + y * sine) / (width / 2) / scale;
    points[at + 1] = (y * cosine - x * sine) / (height / 2) / scale;
  }
  return sample(image, points, shape).output;
}

/**
 * Take steps of gradient descent on theta; return the last one.
 * @param {Weights} weights
 * @param {Values} image
 * @param {number[]} theta
 * @param {{class: number, count: number, rate: number}} steps
 * @param {Object<string, Tensor>} tensors to which the steps are added
 */
function takeSteps(weights, image, theta, { class: label, count, rate }, tensors) {
  const thetas = [theta];
  const losses = [];
  const probabilities = [];
  for (let step = 0; step <= count; step++) {
    const found = thetaGradient(weights, image, theta, label);
    losses.push(found.loss);
    probabilities.push(...found.probabilities);
    if (step === count) break;
    theta = theta.map((value, index) => value - rate * found.theta[index]);
    thetas.push(theta);
  }
  tensors[`steps.theta.${TRANSFORMER}`] = floats(thetas.flat(), [count + 1, 6]);
  tensors["steps.loss"] = floats(losses, [count + 1]);
  tensors["steps.probabilities"] = floats(probabilities, [count + 1, CLASSES.length]);
  return theta;
}

/** Return the name of the family whose theta is a matrix of 2 x 3, as that of the network is. */
const familyOfMatrix = () =>
  familyEntries().find(({ theta_matrix: matrix }) => String(matrix) === "2,3")?.name ?? "";

/**
 * @param {Weights} weights
 * @param {string} name of the weights
 * @param {string} picture
 * @param {Values} image
 * @param {number[]} theta
 * @returns {Frame}
 */
function frameOf(weights, name, picture, image, theta) {
  const [height, width] = image.shape.slice(1);
  const { output } = sample(image, samplingPoints(theta), OUTPUT_SIZE);
  const points = warpPoints(MATRIX_2X3, theta, latticePoints(LATTICE_SIDE));
  const grid = Float32Array.from(toPixels(points, [height, width]));
  const last = LATTICE_SIDE - 1;
  const corners = [[0, 0], [0, last], [last, last], [last, 0]].flatMap(([row, column]) => {
    const at = 2 * (row * LATTICE_SIDE + column);
    return [grid[at], grid[at + 1]];
  });
  const probabilities = classify(weights, image, theta);
  return {
    info: {
      ...infoOf(name, picture, probabilities),
      transformers: [{ name: TRANSFORMER, family: familyOfMatrix(), at: "input" }],
      collapsed: { [TRANSFORMER]: [null] },
    },
    tensors: {
      input: picturesOf(image),
      probabilities: floats(probabilities, [1, CLASSES.length]),
      [`output.${TRANSFORMER}`]: picturesOf(output),
      [`theta.${TRANSFORMER}`]: floats(theta, [1, 6]),
      [`corners.${TRANSFORMER}`]: floats(corners, [1, 4, 2]),
      [`grid.${TRANSFORMER}`]: floats(grid, [1, LATTICE_SIDE, LATTICE_SIDE, 2]),
    },
  };
}

/**
 * @param {Weights} weights
 * @param {string} name of the weights
 * @param {string} picture
 * @param {Values} image
 * @returns {Frame}
 */
function withoutTransformer(weights, name, picture, image) {
  const probabilities = classify(weights, image, null);
  return {
    info: infoOf(name, picture, probabilities),
    tensors: {
      input: picturesOf(image),
      probabilities: floats(probabilities, [1, CLASSES.length]),
    },
  };
}

/**
 * @param {string} weights
 * @param {string} picture
 * @param {number[]} probabilities
 * @returns {FrameInfo}
 */
function infoOf(weights, picture, probabilities) {
  return {
    protocol: 1,
    run: "",
    step: 0,
    epoch: 0,
    progress: 0,
    loss: null,
    accuracy: null,
    time: Date.now() / 1000,
    classes: CLASSES,
    labels: [null],
    predicted: [probabilities.indexOf(Math.max(...probabilities))],
    transformers: [],
    notes: [],
    picture,
    weights,
  };
}

/**
 * @param {ArrayLike<number>} data
 * @param {number[]} shape
 * @returns {Tensor}
 */
const floats = (data, shape) => ({ data: Float32Array.from(data), shape });

/**
 * Return an image in [0, 1] as a batch of one picture.
 * @param {Values} image (1, H, W)
 * @returns {Tensor} (1, H, W, 1)
 */
function picturesOf({ data, shape: [, height, width] }) {
  const levels = Uint8Array.from(
    data,
    (value) => Math.round(Math.min(1, Math.max(0, value)) * 255),
  );
  return { data: levels, shape: [1, height, width, 1] };
}

/**
 * Return maps, each scaled from its least to its largest value.
 * @param {Values} maps (M, h, w)
 * @returns {Tensor}
 */
function stretched({ data, shape }) {
  const size = shape[1] * shape[2];
  const levels = new Uint8Array(data.length);
  for (let start = 0; start < data.length; start += size) {
    const map = data.subarray(start, start + size);
    const low = Math.min(...map);
    const range = Math.max(...map) - low;
    map.forEach((
      value,
      at,
    ) => (levels[start + at] = range ? Math.round((value - low) / range * 255) : 0));
  }
  return { data: levels, shape };
}
