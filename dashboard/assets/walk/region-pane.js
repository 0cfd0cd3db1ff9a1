// The input with the region that theta samples, which can be dragged; and a pane for an output. Their size is
// the style sheet's.

import { fitAffine } from "../geometry/region-geometry.js";
import { inputMargin } from "../geometry/input-margin.js";
import { latticePoints, MATRIX_2X3, toPixels, warpPoints } from "../geometry/theta-grid.js";
import { ImagePane } from "../stage/image-pane.js";
import { RegionHandles } from "../picture/region-handles.js";
import { RegionOverlay } from "../stage/region-overlay.js";

/** @import { Frame, Tensors, Transformer } from "../protocol/types.js" */
/** @import { SampledImage } from "../geometry/grid-sampler.js" */
/** @import { TransformRequest } from "../protocol/transform-stream.js" */

const LATTICE_SIDE = 7;
const LATTICE = latticePoints(LATTICE_SIDE);

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

export class RegionPane {
  /** @param {(theta: number[]) => void} onTheta called with six numbers after the region was dragged */
  constructor(onTheta) {
    this.onTheta = onTheta;
    this.requests = 0;
    this.size = [1, 1];
    this.pane = new ImagePane("Input, with the region that θ samples");
    this.overlay = new RegionOverlay();
    this.handles = new RegionHandles((override) => this.#take(override));
    this.pane.setOverlays(this.overlay.element, this.handles.element);
    this.element = this.pane.element;
  }

  /**
   * Show an input.
   * @param {SampledImage} input
   * @param {Transformer} transformer
   */
  setInput(input, transformer) {
    const [height, width] = input.shape;
    this.size = [height, width];
    this.transformer = transformer;
    const margin = inputMargin(height, width);
    this.pane.content.style.padding = `${(100 * margin) / (width + 2 * margin)}%`;
    drawImage(this.pane, input);
    this.overlay.fit(height, width);
    this.handles.build([transformer], this.size);
  }

  /** @param {number[]} theta */
  draw(theta) {
    const { transformer, size } = this;
    if (!transformer) return;
    const lattice = regionLattice(theta, size);
    this.overlay.draw({ lattice, mesh: false, controlPoints: [], trail: [] });
    const { name } = transformer;
    const tensors = /** @type {Tensors} */ (/** @type {unknown} */ ({
      [`grid.${name}`]: {
        shape: [1, LATTICE_SIDE, LATTICE_SIDE, 2],
        data: Float32Array.from(lattice),
      },
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
    const [topLeft, topRight, bottomRight, bottomLeft] = Object.values(corners ?? {})[0];
    this.onTheta(fitAffine([topLeft, topRight, bottomLeft, bottomRight].flat(), this.size));
    return ++this.requests;
  }
}
