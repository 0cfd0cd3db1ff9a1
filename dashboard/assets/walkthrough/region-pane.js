// The input with the region that theta samples, which can be dragged; and a pane for an output. Their size is
// the style sheet's.

import { gridSample } from "../geometry/grid-sampler.js";
import { inputMargin } from "../geometry/input-margin.js";
import { fitTheta } from "../geometry/theta-fit.js";
import {
  LATTICE_SIDE,
  latticePoints,
  MATRIX_2X3,
  toPixels,
  warpPoints,
} from "../geometry/theta-grid.js";
import { ImagePane } from "../stage/image-pane.js";
import { RegionHandles } from "../picture/region-handles.js";
import { RegionOverlay } from "../stage/region-overlay.js";
import { ControlHandles } from "./control-handles.js";

/** @import { FamilyEntry, Frame, Tensors, Transformer } from "../protocol/types.js" */
/** @import { SampledImage } from "../geometry/grid-sampler.js" */
/** @import { Points } from "../geometry/theta-grid.js" */
/** @import { WalkthroughPicture } from "./walkthrough-picture.js" */
/** @import { Point } from "../geometry/region-geometry.js" */
/** @import { TransformRequest } from "../protocol/transform-stream.js" */

const LATTICE = latticePoints(LATTICE_SIDE);
// Vertices per side of a region that may be bent: control points of every spline are on its lines.
const MESH_SIDE = 13;
const MESH_LATTICE = latticePoints(MESH_SIDE);

/**
 * Return where the region of a theta lies, as a lattice in pixels.
 * @param {ArrayLike<number>} theta
 * @param {number[]} size height and width of the input
 */
export const regionLattice = (theta, size) =>
  toPixels(warpPoints(MATRIX_2X3, theta, LATTICE), size);

/**
 * Draw an image of any numbers from 0 to 255.
 * @param {ImagePane} pane
 * @param {SampledImage} image
 */
export const drawImage = ({ image }, { data, shape }) =>
  image.draw(Uint8Array.from(data, Math.round), shape);

/**
 * Give an image's pane the margin around it in which regions are drawn.
 * @param {ImagePane} pane
 * @param {number[]} size height and width of the image
 */
export function setMargin(pane, [height, width]) {
  const margin = inputMargin(height, width);
  pane.content.style.padding = `${(100 * margin) / (width + 2 * margin)}%`;
}

/**
 * Show an image in a pane, with the margin around it in which regions are drawn.
 * @param {ImagePane} pane
 * @param {SampledImage} image
 */
export function drawWithMargin(pane, image) {
  setMargin(pane, image.shape);
  drawImage(pane, image);
}

/**
 * Draw what a transformer samples of the picture.
 * @param {ImagePane} pane
 * @param {Pick<WalkthroughPicture, "input" | "outputSize">} picture
 * @param {Points} points where its pixels are sampled, normalised
 */
export function drawOutput(pane, { input, outputSize }, points) {
  const data = gridSample(input, points);
  drawImage(pane, { data, shape: [...outputSize, input.shape[2]] });
}

export class RegionPane {
  /** @param {(theta: number[]) => void} onTheta called with theta's numbers after the region was dragged */
  constructor(onTheta) {
    this.onTheta = onTheta;
    this.requests = 0;
    this.size = [1, 1];
    /** @type {number[]} */
    this.theta = [];
    /** @type {FamilyEntry | null} */
    this.family = null; // null for that of a 2x3 matrix, without a mesh
    this.pane = new ImagePane("Input, with the region that θ samples");
    this.overlay = new RegionOverlay();
    this.handles = new RegionHandles((override) => this.#take(override));
    this.controls = new ControlHandles((index, point) => this.#moveControl(index, point));
    this.pane.setOverlays(this.overlay.element, this.handles.element, this.controls.element);
    this.element = this.pane.element;
  }

  /**
   * Show an input.
   * @param {SampledImage} input
   * @param {Transformer} transformer
   * @param {FamilyEntry | null} [family] of theta, if it is not a 2x3 matrix; its mesh is drawn
   */
  setInput(input, transformer, family = null) {
    const [height, width] = input.shape;
    this.size = [height, width];
    this.family = family;
    this.transformer = family ? { ...transformer, family: family.name } : transformer;
    drawWithMargin(this.pane, input);
    this.overlay.fit(height, width);
    this.handles.build([this.transformer], this.size);
    const side = family?.control_points ?? 0;
    this.controls.build(side, this.size);
    // The corners of a spline are control points.
    this.element.toggleAttribute("data-controls", side > 0);
  }

  get #aspect() {
    return this.size[1] / this.size[0];
  }

  /**
   * Return where the region of a theta lies, as a lattice in pixels.
   * @param {number[]} theta
   */
  latticeOf(theta) {
    const { family, size } = this;
    if (!family) return regionLattice(theta, size);
    return toPixels(warpPoints(family, theta, MESH_LATTICE, this.#aspect), size);
  }

  /** @param {number[]} theta */
  draw(theta) {
    const { transformer, size, family } = this;
    if (!transformer) return;
    this.theta = theta;
    const lattice = this.latticeOf(theta);
    const side = Math.sqrt(lattice.length / 2);
    const controlPoints = family?.control_points ? pointsOf(toPixels(theta, size)) : [];
    this.overlay.draw({ lattice, mesh: family !== null, controlPoints, trail: [] });
    this.controls.update(controlPoints);
    const { name } = transformer;
    const tensors = /** @type {Tensors} */ (/** @type {unknown} */ ({
      [`grid.${name}`]: { shape: [1, side, side, 2], data: Float32Array.from(lattice) },
      [`theta.${name}`]: { shape: [1, theta.length], data: Float32Array.from(theta) },
    }));
    const info = /** @type {Frame["info"]} */ (/** @type {unknown} */ ({
      transformers: [transformer],
      request: this.requests,
    }));
    this.handles.update({ info, tensors }, 0);
  }

  /**
   * Pass on the theta of a region that was dragged.
   * @param {TransformRequest} override
   */
  #take({ corners }) {
    const target = Object.values(corners ?? {})[0].map(([x, y]) => this.#normalise([x, y]));
    if (this.family?.control_points) {
      // Only the whole region has a handle: all control points move with it.
      const offset = target[0].map((value, axis) => value - this.theta[axis]);
      this.#choose(this.theta.map((value, index) => value + offset[index % 2]));
    } else {
      this.#choose(fitTheta(this.family ?? MATRIX_2X3, target, this.#aspect));
    }
    return ++this.requests;
  }

  /**
   * @param {number} index
   * @param {Point} point
   */
  #moveControl(index, point) {
    const [x, y] = this.#normalise(point);
    this.#choose(
      this.theta.map((value, at) => at === 2 * index ? x : at === 2 * index + 1 ? y : value),
    );
  }

  /** @param {number[]} theta */
  #choose(theta) {
    this.theta = theta;
    this.onTheta(theta);
  }

  /**
   * @param {Point} point in pixels
   * @returns {Point}
   */
  #normalise([x, y]) {
    const [height, width] = this.size;
    return [(2 * x) / width - 1, (2 * y) / height - 1];
  }
}

/**
 * @param {ArrayLike<number>} numbers x, y of one after another
 * @returns {Point[]}
 */
const pointsOf = (numbers) =>
  Array.from(
    { length: numbers.length / 2 },
    (_, index) => [numbers[2 * index], numbers[2 * index + 1]],
  );
