// All regions of a frame on one ground: their outlines, their middles and the way those have come.

import { element, svgElement } from "../ui/dom.js";
import { inputMargin, inputViewBox } from "../geometry/input-margin.js";
import { centreOf } from "../geometry/region-geometry.js";
import { dotsPath, regionPaths } from "./region-overlay.js";

export class RegionCloud {
  constructor() {
    this.image = svgElement("rect", { class: "stn-cloud-image" });
    const label = "Where the regions lie in the image";
    this.svg = svgElement("svg", { class: "stn-cloud", role: "img", "aria-label": label });
    const tile = element("div.stn-summary-tile", {}, this.svg);
    const caption = element("figcaption", {}, "All regions");
    this.element = element("figure.stn-summary-figure", {}, tile, caption);
  }

  /** Begins anew with `count` transformers and an input of this height and width. */
  build(count, [height, width]) {
    const margin = inputMargin(height, width);
    const sides = [width + 2 * margin, height + 2 * margin];
    this.box = { left: -margin, top: -margin, right: width + margin, bottom: height + margin };
    this.svg.setAttribute("viewBox", inputViewBox(height, width));
    this.image.setAttribute("width", width);
    this.image.setAttribute("height", height);
    this.parts = Array.from(
      { length: count },
      (_, index) => new RegionLayer(count > 1 ? index + 1 : 0, sides),
    );
    this.svg.replaceChildren(this.image, ...this.parts.map((part) => part.element));
  }

  /**
   * @param {ArrayLike<number>[][]} regions lattices, by transformer and probe
   * @param {ArrayLike<number>[][][]} ways by transformer those of earlier frames and of this one
   * @param {object} layers which are drawn, by name
   */
  draw(regions, ways, layers) {
    regions.forEach((lattices, place) =>
      this.parts[place].draw(lattices, ways[place] ?? [], layers, this.box)
    );
  }
}

/** The regions of one transformer; `place` from 1 where it is one of several, else 0. */
class RegionLayer {
  constructor(place, sides) {
    this.outline = svgElement("path", { class: "stn-cloud-outline" });
    this.way = svgElement("path", { class: "stn-cloud-trail" });
    this.marks = svgElement("path", { class: "stn-cloud-marks" });
    this.element = svgElement("g", place ? { "data-transformer": place } : {});
    this.element.append(this.outline, this.way, this.marks);
    if (!place) return;
    this.size = Math.max(...sides) / 16;
    // Each beside the others: at the start all regions are one.
    this.beside = (place - 1) * 0.8 * this.size;
    this.number = svgElement("text", { "font-size": this.size });
    this.number.textContent = place;
    this.element.append(this.number);
  }

  draw(lattices, past, { dots: marked, outline, trail }, box) {
    const middles = lattices.map(centreOf);
    const edges = outline
      ? lattices.map((lattice) => regionPaths(lattice, box).outline).join("")
      : "";
    this.outline.setAttribute("d", edges);
    this.marks.setAttribute("d", marked ? dotsPath(middles) : "");
    this.way.setAttribute("d", trail ? wayOf(past) : "");
    if (this.number) this.#name(middles.filter((middle) => middle.every(Number.isFinite)), box);
  }

  // Its number, above the mean of the middles.
  #name(middles, { left, top, right, bottom }) {
    this.number.toggleAttribute("hidden", !middles.length);
    if (!middles.length) return;
    const mean = (axis) => middles.reduce((sum, middle) => sum + middle[axis], 0) / middles.length;
    const within = (value, from, to) => Math.min(to - this.size, Math.max(from + this.size, value));
    this.number.setAttribute("x", within(mean(0) + this.beside, left, right).toFixed(2));
    this.number.setAttribute("y", within(mean(1) - this.size, top, bottom).toFixed(2));
  }
}

// The way that each region's middle has come.
function wayOf(past) {
  if (past.length < 2) return "";
  return past.at(-1).map((_, index) => {
    const points = past.map((lattices) => lattices[index]).filter(Boolean).map(centreOf);
    if (!points.flat().every(Number.isFinite)) return "";
    return `M${points.map((point) => point.map((value) => value.toFixed(2)).join(",")).join("L")}`;
  }).join("");
}
