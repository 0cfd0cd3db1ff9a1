// Handles above a picture, by which its regions and their corners are dragged.

import {
  keyOffset,
  latticeCorners,
  moveCorner,
  moveRegion,
  thetaOverride,
} from "../geometry/region-drag.js";
import { element, svgElement } from "../ui/dom.js";
import { familyEntry } from "../protocol/catalog.js";
import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { regionPaths } from "../stage/region-overlay.js";
import { rowOf } from "../protocol/frame.js";

/** @import { Frame, DegreeOfFreedom, Transformer } from "../protocol/types.js" */
/** @import { TransformRequest } from "../protocol/transform-stream.js" */

/** @typedef {[number, number]} Point x and y in pixels of the input */

/**
 * One transformer's region.
 * @typedef {object} Region
 * @property {string} name the transformer's
 * @property {string} family
 * @property {number[]} theta
 * @property {boolean} given whether theta was chosen by hand
 * @property {Point[] | null} corners as drawn; null if they are not finite
 * @property {Point[] | null} requested corners that were requested and are not drawn yet
 * @property {SVGPathElement} path the handle of the whole region
 * @property {HTMLButtonElement[]} dots the handles of its corners
 */

const CORNER_NAMES = ["top left", "top right", "bottom right", "bottom left"];
const UNBOUNDED = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };

/**
 * Return what dragging can set. Before the catalog is loaded each corner moves alone, and the server finds the
 * closest theta.
 * @param {string} family
 * @returns {DegreeOfFreedom[]}
 */
const degreesOfFreedom = (family) => familyEntry(family)?.degrees_of_freedom ?? ["corners"];

export class RegionHandles {
  /**
   * @param {(override: TransformRequest) => number} send requests a frame with theta or corners
   *   chosen by hand; returns the request's number, which that frame repeats
   */
  constructor(send) {
    this.send = send;
    /** @type {Region[]} */
    this.regions = [];
    /** @type {number | null} */
    this.pending = null; // number of the last request
    this.origin = 0; // of the input's margin, in pixels of the input
    this.size = { width: 0, height: 0 }; // of the input and its margin
    this.element = element("div.stn-handles");
  }

  /**
   * Create the handles for a frame's transformers.
   * @param {Transformer[]} transformers
   * @param {number[]} inputSize height and width
   */
  build(transformers, [height, width]) {
    const margin = inputMargin(height, width);
    this.origin = -margin;
    this.size = { width: width + 2 * margin, height: height + 2 * margin };
    const hasSeveral = transformers.length > 1;
    this.regions = transformers.map((_, index) => this.#createRegion(hasSeveral ? index + 1 : 0));
    const svg = svgElement("svg", {
      class: "stn-handle-regions",
      viewBox: inputViewBox(height, width),
    });
    svg.append(...this.regions.map(({ path }) => path));
    this.element.replaceChildren(svg, ...this.regions.flatMap(({ dots }) => dots));
  }

  /** @param {number} number of the region, from 1; 0 if there is only one */
  #createRegion(number) {
    const suffix = number ? ` ${number}` : "";
    const path = svgElement("path", {
      class: "stn-handle-region",
      tabindex: 0,
      role: "button",
      "aria-label": `The whole region${suffix}: arrow keys move it`,
    });
    const dots = CORNER_NAMES.map((name) => {
      const dot = element("button.stn-handle", { type: "button" });
      const owner = number ? ` of region ${number}` : "";
      dot.setAttribute("aria-label", `The output's ${name} corner${owner}: arrow keys move it`);
      return dot;
    });
    // Chromium reads an SVG's touch-action only from its outermost element.
    path.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    /** @type {Region} */
    const region = {
      name: "",
      family: "",
      theta: [],
      given: false,
      corners: null,
      requested: null,
      path,
      dots,
    };
    this.#listen(path, region, moveRegion);
    dots.forEach((dot, index) =>
      this.#listen(
        dot,
        region,
        (corners, offset) => moveCorner(degreesOfFreedom(region.family), corners, index, offset),
      )
    );
    return region;
  }

  /**
   * Move a region by dragging a handle, and by arrow keys.
   * @param {HTMLElement | SVGElement} handle
   * @param {Region} region
   * @param {(corners: Point[], offset: Point) => Point[]} move
   */
  #listen(handle, region, move) {
    /** @type {{x: number, y: number, corners: Point[]} | null} */
    let start = null;
    /** @param {PointerEvent} event */
    const startDrag = (event) => {
      if (event.button !== 0 || !region.corners) return;
      handle.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY, corners: region.requested ?? region.corners };
    };
    /** @param {PointerEvent} event */
    const drag = (event) => {
      if (!start) return;
      const scale = this.size.width / this.element.getBoundingClientRect().width;
      const x = scale * (event.clientX - start.x);
      const y = scale * (event.clientY - start.y);
      this.#request(region, move(start.corners, [x, y]));
    };
    handle.onpointerdown = startDrag;
    handle.onpointermove = drag;
    handle.onpointerup = handle.onpointercancel = handle.onlostpointercapture = () => {
      start = null;
    };
    /** @param {KeyboardEvent} event */
    const moveByKey = (event) => {
      const offset = keyOffset(event);
      if (!offset || !region.corners) return;
      event.preventDefault();
      event.stopPropagation();
      this.#request(region, move(region.requested ?? region.corners, offset));
    };
    handle.onkeydown = moveByKey;
  }

  /**
   * @param {Region} region
   * @param {Point[]} corners
   */
  #request(region, corners) {
    region.requested = corners;
    this.pending = this.send(thetaOverride(this.regions));
  }

  /** Clear corners that were requested and are not drawn yet. */
  reset() {
    this.pending = null;
    for (const region of this.regions) region.requested = null;
  }

  /**
   * Move the handles to a frame's regions.
   * @param {Frame} frame
   * @param {number} index of the probe
   */
  update({ info, tensors }, index) {
    // A request that is sent again, with the picture, has a later number.
    if (this.pending !== null && (info.request ?? 0) >= this.pending) this.reset();
    info.transformers.forEach(({ name, family }, at) => {
      const region = this.regions[at];
      const lattice = rowOf(tensors[`grid.${name}`], index);
      Object.assign(region, {
        name,
        family,
        theta: [...rowOf(tensors[`theta.${name}`], index)],
        given: info.given?.includes(name) ?? false,
        corners: lattice.every(Number.isFinite) ? latticeCorners(lattice) : null,
      });
      region.path.setAttribute("d", regionPaths(lattice, UNBOUNDED).outline);
      region.dots.forEach((dot, corner) => this.#placeDot(dot, region.corners?.[corner]));
    });
  }

  /**
   * @param {HTMLButtonElement} dot
   * @param {Point | undefined} corner
   */
  #placeDot(dot, corner) {
    dot.hidden = !corner;
    if (!corner) return;
    /** @type {(position: number, length: number) => string} */
    const share = (position, length) =>
      `${((100 * (position - this.origin)) / length).toFixed(3)}%`;
    dot.style.setProperty("--stn-x", share(corner[0], this.size.width));
    dot.style.setProperty("--stn-y", share(corner[1], this.size.height));
  }
}
