// What can be taken hold of above a picture: the corners of its regions, and the regions themselves.

import {
  keyOffset,
  latticeCorners,
  moveCorner,
  moveRegion,
  thetaOverride,
} from "../geometry/region-drag.js";
import { familyTraits } from "../protocol/catalog.js";
import { element, svgElement } from "../ui/dom.js";
import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { rowOf } from "../protocol/frame.js";
import { regionPaths } from "../stage/region-overlay.js";

const PLACES = ["top left", "top right", "bottom right", "bottom left"];
const EVERYWHERE = { left: -Infinity, top: -Infinity, right: Infinity, bottom: Infinity };

// Before the catalog is loaded each corner moves alone, and the server finds the closest theta.
const dragFreedoms = (family) => familyTraits(family)?.drag ?? ["corners"];

export class Handles {
  /**
   * @param {(wanted: {theta: object, corners: object}) => number} ask called with what the
   *   transformers are to be told; answers with the number that the answering frame repeats
   */
  constructor(ask) {
    this.ask = ask;
    this.regions = [];
    this.asked = null;
    this.element = element("div.stn-handles");
  }

  /** Makes them anew for the transformers of a frame and the height and width of its input. */
  build(transformers, [height, width]) {
    const margin = inputMargin(height, width);
    this.origin = -margin;
    this.room = { width: width + 2 * margin, height: height + 2 * margin };
    const several = transformers.length > 1;
    this.regions = transformers.map((_, place) => this.#region(several ? place + 1 : 0));
    const viewBox = inputViewBox(height, width);
    const whole = svgElement("svg", { class: "stn-handle-regions", viewBox });
    whole.append(...this.regions.map(({ path }) => path));
    const dots = this.regions.flatMap(({ dots }) => dots);
    this.element.replaceChildren(whole, ...dots);
  }

  #region(place) {
    const of = place ? ` of region ${place}` : "";
    const made = { corners: null, wanted: null }; // as shown, and as asked for and not shown yet
    made.path = svgElement("path", {
      class: "stn-handle-region",
      tabindex: 0,
      role: "button",
      "aria-label": `The whole region${place ? ` ${place}` : ""}: arrows move it`,
    });
    made.dots = PLACES.map((name) => {
      const dot = element("button.stn-handle", { type: "button" });
      dot.setAttribute("aria-label", `The output's ${name} corner${of}: arrows move it`);
      return dot;
    });
    // Chromium asks of an SVG's touch-action only what its outermost element says.
    made.path.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    this.#listen(made.path, made, (corners, by) => moveRegion(corners, by));
    made.dots.forEach((dot, index) =>
      this.#listen(
        dot,
        made,
        (corners, by) => moveCorner(dragFreedoms(made.family), corners, index, by),
      )
    );
    return made;
  }

  // Moves a region by what is dragged or pressed on a target.
  #listen(target, held, moved) {
    const drag = (event, from) => {
      const { width } = this.element.getBoundingClientRect();
      const pixels = this.room.width / width;
      const by = [event.clientX - from.x, event.clientY - from.y].map((way) => way * pixels);
      this.#want(held, moved(from.corners, by));
    };
    let from = null;
    target.onpointerdown = (event) => {
      if (event.button !== 0 || !held.corners) return;
      target.setPointerCapture(event.pointerId);
      from = { x: event.clientX, y: event.clientY, corners: held.wanted ?? held.corners };
    };
    target.onpointermove = (event) => from && drag(event, from);
    target.onpointerup = target.onpointercancel = target.onlostpointercapture = () => (from = null);
    target.onkeydown = (event) => {
      const by = keyOffset(event);
      if (!by || !held.corners) return;
      event.preventDefault();
      event.stopPropagation();
      this.#want(held, moved(held.wanted ?? held.corners, by));
    };
  }

  #want(region, corners) {
    region.wanted = corners;
    this.asked = this.ask(thetaOverride(this.regions));
  }

  /** Lets go of what was wanted and not shown yet. */
  release() {
    this.asked = null;
    for (const each of this.regions) each.wanted = null;
  }

  /** Lies where a frame's regions lie. */
  update({ info, tensors }, index) {
    if (info.request === this.asked) this.release();
    info.transformers.forEach(({ name, family }, place) => {
      const each = this.regions[place];
      const lattice = rowOf(tensors[`grid.${name}`], index);
      const theta = [...rowOf(tensors[`theta.${name}`], index)];
      Object.assign(each, { name, family, theta, given: info.given?.includes(name) });
      each.corners = lattice.every(Number.isFinite) ? latticeCorners(lattice) : null;
      each.path.setAttribute("d", regionPaths(lattice, EVERYWHERE).outline);
      each.dots.forEach((dot, corner) => this.#place(dot, each.corners?.[corner]));
    });
  }

  #place(dot, corner) {
    dot.hidden = !corner;
    if (!corner) return;
    const share = (at, length) => `${((100 * (at - this.origin)) / length).toFixed(3)}%`;
    dot.style.setProperty("--stn-x", share(corner[0], this.room.width));
    dot.style.setProperty("--stn-y", share(corner[1], this.room.height));
  }
}
