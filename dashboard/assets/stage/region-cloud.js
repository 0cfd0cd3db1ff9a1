// The regions of all probes in one image: outlines, centres and the centres' trails.

import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { regionCentre } from "../geometry/region-geometry.js";
import { element, svgElement } from "../ui/dom.js";
import { dotsPath, regionPaths } from "./region-overlay.js";

/** @import { Lattice, Point } from "../geometry/region-geometry.js" */
/** @import { Layers } from "../ui/view-state.js" */
/** @import { Box } from "./region-overlay.js" */

export class RegionCloud {
  constructor() {
    this.image = svgElement("rect", { class: "stn-cloud-image" });
    const label = "Where the regions lie in the image";
    this.svg = svgElement("svg", { class: "stn-cloud", role: "img", "aria-label": label });
    const tile = element("div.stn-summary-tile", {}, this.svg);
    const caption = element("figcaption", {}, "All regions");
    this.element = element("figure.stn-summary-figure", {}, tile, caption);
    /** @type {Box} */
    this.box = { left: 0, top: 0, right: 0, bottom: 0 };
    /** @type {TransformerCloud[]} */
    this.clouds = [];
  }

  /**
   * Rebuild for other transformers or another input.
   * @param {number} count of transformers
   * @param {number[]} size height and width of the input
   */
  build(count, [height, width]) {
    const margin = inputMargin(height, width);
    this.box = { left: -margin, top: -margin, right: width + margin, bottom: height + margin };
    this.svg.setAttribute("viewBox", inputViewBox(height, width));
    this.image.setAttribute("width", String(width));
    this.image.setAttribute("height", String(height));
    const labelSize = (Math.max(width, height) + 2 * margin) / 16;
    this.clouds = Array.from(
      { length: count },
      (_, index) => new TransformerCloud(count > 1 ? index + 1 : 0, labelSize),
    );
    this.svg.replaceChildren(this.image, ...this.clouds.map((cloud) => cloud.element));
  }

  /**
   * @param {Lattice[][]} regions by transformer and probe
   * @param {Lattice[][][]} trail by transformer, the regions of earlier frames and the present one
   * @param {Layers} layers
   */
  draw(regions, trail, layers) {
    regions.forEach((lattices, index) =>
      this.clouds[index].draw(lattices, trail[index] ?? [], layers, this.box)
    );
  }
}

/** The regions of one transformer. */
class TransformerCloud {
  /**
   * @param {number} number of the transformer, from 1, where there are several; else 0
   * @param {number} labelSize in pixels of the input
   */
  constructor(number, labelSize) {
    this.outline = svgElement("path", { class: "stn-cloud-outline" });
    this.trail = svgElement("path", { class: "stn-cloud-trail" });
    this.marks = svgElement("path", { class: "stn-cloud-marks" });
    this.element = svgElement("g", number ? { "data-transformer": number } : {});
    this.element.append(this.outline, this.trail, this.marks);
    this.labelSize = labelSize;
    // Labels are placed side by side: at the start of training all regions coincide.
    this.labelOffset = (number - 1) * 0.8 * labelSize;
    /** @type {Element | null} */
    this.label = null;
    if (number) {
      const label = svgElement("text", { "font-size": labelSize });
      label.textContent = String(number);
      this.element.append(label);
      this.label = label;
    }
  }

  /**
   * @param {Lattice[]} lattices
   * @param {Lattice[][]} trail
   * @param {Layers} layers
   * @param {Box} box
   */
  draw(lattices, trail, layers, box) {
    const centres = lattices.map(regionCentre);
    const outlines = layers.outline ? lattices.map((each) => regionPaths(each, box).outline) : [];
    this.outline.setAttribute("d", outlines.join(""));
    this.marks.setAttribute("d", layers.dots ? dotsPath(centres) : "");
    this.trail.setAttribute("d", layers.trail ? centreTrails(trail) : "");
    const finite = centres.filter((centre) => centre.every(Number.isFinite));
    if (this.label) this.#placeLabel(this.label, finite, box);
  }

  /**
   * Place the label above the mean of the centres.
   * @param {Element} label
   * @param {Point[]} centres
   * @param {Box} box
   */
  #placeLabel(label, centres, { left, top, right, bottom }) {
    label.toggleAttribute("hidden", !centres.length);
    if (!centres.length) return;
    const size = this.labelSize;
    /** @param {number} axis */
    const mean = (axis) => centres.reduce((sum, centre) => sum + centre[axis], 0) / centres.length;
    /** @param {number} value @param {number} min @param {number} max */
    const within = (value, min, max) =>
      Math.min(max - size, Math.max(min + size, value)).toFixed(2);
    label.setAttribute("x", within(mean(0) + this.labelOffset, left, right));
    label.setAttribute("y", within(mean(1) - size, top, bottom));
  }
}

/**
 * Return the trail of each region's centre as path data.
 * @param {Lattice[][]} trail regions by frame and probe, the earliest frame first
 */
function centreTrails(trail) {
  if (trail.length < 2) return "";
  const present = trail[trail.length - 1];
  return present.map((_, probe) => {
    const points = trail.map((lattices) => lattices[probe]).filter(Boolean).map(regionCentre);
    if (!points.flat().every(Number.isFinite)) return "";
    return `M${points.map((point) => point.map((value) => value.toFixed(2)).join(",")).join("L")}`;
  }).join("");
}
