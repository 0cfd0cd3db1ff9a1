// All probes of a frame as one: their mean pictures, where their regions lie, and how those spread.

import { element, setText } from "./dom.js";
import { marginOf, Picture } from "./draw.js";
import { rowsOf } from "./frame.js";
import { centreOf } from "./geometry.js";
import { dots, region } from "./overlay.js";
import { meanPicture, NUMBERS, spreads } from "./spread.js";

const SVG = "http://www.w3.org/2000/svg";
const GAP = 16;
// Heights: below a picture, of the row of spreads.
const CAPTION = 26;
const SPREADS = 104;
const STACKED = 700;

export class Crowd {
  constructor() {
    this.input = new Mean("Mean of the inputs");
    this.outputs = [];
    this.cloud = new Cloud();
    this.spreads = NUMBERS.map((number) => new Strip(number));
    this.pictures = element("div.stn-crowd-pictures");
    const strips = this.spreads.map((strip) => strip.element);
    this.note = element("p.stn-quiet");
    const told = element("div.stn-crowd-spreads", {}, ...strips);
    this.element = element("div.stn-crowd", {}, this.pictures, told, this.note);
  }

  look({ layers }) {
    this.layers = layers;
  }

  show({ info, tensors }, past = []) {
    const shapes = [tensors.input, ...info.transformers.map(({ name }) => tensors[`output.${name}`])];
    const key = JSON.stringify(shapes.map(({ shape }) => shape));
    if (key !== this.key) this.#build(key, shapes);
    this.input.show(tensors.input);
    info.transformers.forEach(({ name }, place) =>
      this.outputs[place].show(tensors[`output.${name}`]),
    );
    const size = tensors.input.shape.slice(1, 3);
    const regions = info.transformers.map(({ name }) => rowsOf(tensors[`grid.${name}`]));
    this.cloud.show(regions, this.#ways(info, [...past, { tensors }]), this.layers);
    // Of several transformers the first one's spread is told.
    const told = regions.length ? spreads(regions[0], size) : [];
    this.spreads.forEach((strip, index) => {
      strip.element.hidden = !told.length;
      if (told.length) strip.show(told[index]);
    });
    setText(this.note, noteOf(tensors.input.shape[0], regions.length));
    this.element.dataset.step = info.step;
  }

  // Of each transformer its regions in all frames, where trails are drawn.
  #ways({ transformers }, frames) {
    if (!this.layers.trail) return [];
    return transformers.map(({ name }) =>
      frames.map(({ tensors }) => tensors[`grid.${name}`]).filter(Boolean).map(rowsOf),
    );
  }

  #build(key, [input, ...outputs]) {
    this.key = key;
    this.shapes = { input: input.shape.slice(1), outputs: outputs.map(({ shape }) => shape.slice(1)) };
    const several = outputs.length > 1;
    this.outputs = outputs.map(
      (_, place) => new Mean(several ? `Mean of outputs ${place + 1}` : "Mean of the outputs"),
    );
    this.cloud.fit(this.shapes.input);
    const clouds = outputs.length ? [this.cloud.element] : [];
    const means = [this.input, ...this.outputs].map((mean) => mean.element);
    this.pictures.replaceChildren(...means, ...clouds);
    this.#fit();
  }

  /** Fits the pictures into `width` by `height` CSS pixels, the spreads below them. */
  resize(width, height) {
    this.room = { width, height };
    this.#fit();
  }

  #fit() {
    if (!this.room || !this.shapes) return;
    const { width, height } = this.room;
    const stacked = width < STACKED;
    const count = 1 + this.outputs.length + (this.outputs.length ? 1 : 0);
    const columns = stacked ? 2 : Math.ceil(count / (count > 4 ? 2 : 1));
    const rows = Math.ceil(count / columns);
    const each = (width - (columns - 1) * GAP) / columns;
    const high = (height - SPREADS - rows * GAP) / rows - CAPTION;
    const side = Math.max(80, stacked ? each : Math.min(each, high));
    this.pictures.style.setProperty("--stn-crowd-side", `${side}px`);
    this.pictures.style.setProperty("--stn-columns", columns);
  }
}

function noteOf(count, transformers) {
  const those = transformers > 1 ? ", of the first transformer" : "";
  return transformers
    ? `Each mark is one of ${count} probes${those}; the bar is their mean, the band one standard deviation to either side.`
    : "This network has no transformer: there is nothing that could spread.";
}

/** The mean of pictures. */
class Mean {
  constructor(title) {
    this.picture = new Picture(document);
    this.picture.canvas.className = "stn-one-pixels";
    const tile = element("div.stn-crowd-tile", {}, this.picture.canvas);
    this.element = element("figure.stn-crowd-figure", {}, tile, element("figcaption", {}, title));
  }

  show(tensor) {
    const { data, shape } = meanPicture(tensor);
    this.picture.show(data, shape);
  }
}

/** All regions on one ground: their outlines, and their middles. */
class Cloud {
  constructor() {
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("class", "stn-cloud");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", "Where the regions lie in the image");
    this.image = this.#add("rect", "stn-cloud-image");
    this.outline = this.#add("path", "stn-cloud-outline");
    this.way = this.#add("path", "stn-cloud-way");
    this.marks = this.#add("path", "stn-cloud-marks");
    const tile = element("div.stn-crowd-tile", {}, this.svg);
    const caption = element("figcaption", {}, "Their regions, and the middle of each");
    this.element = element("figure.stn-crowd-figure", {}, tile, caption);
  }

  #add(name, kind) {
    const made = document.createElementNS(SVG, name);
    made.setAttribute("class", kind);
    return this.svg.appendChild(made);
  }

  fit([height, width]) {
    const margin = marginOf(height, width);
    this.box = { left: -margin, top: -margin, right: width + margin, bottom: height + margin };
    const sides = [width + 2 * margin, height + 2 * margin];
    this.svg.setAttribute("viewBox", `${-margin} ${-margin} ${sides.join(" ")}`);
    this.image.setAttribute("width", width);
    this.image.setAttribute("height", height);
  }

  show(regions, ways, { dots: marked, outline, trail }) {
    const all = regions.flat();
    const edges = outline ? all.map((lattice) => region(lattice, this.box).outline).join("") : "";
    this.outline.setAttribute("d", edges);
    this.marks.setAttribute("d", marked ? dots(all.map(centreOf)) : "");
    this.way.setAttribute("d", trail ? ways.map(wayOf).join("") : "");
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

/** One number of all regions along a line. */
class Strip {
  constructor({ title, text, from, to }) {
    Object.assign(this, { text, from, to });
    this.value = element("span.stn-value");
    this.band = element("span.stn-band");
    this.mean = element("span.stn-mean");
    this.marks = [];
    this.line = element("div.stn-strip-line", { aria: { hidden: "true" } }, this.band, this.mean);
    const head = element("div.stn-strip-head", {}, element("span", {}, title), this.value);
    const ends = element(
      "div.stn-strip-ends",
      { aria: { hidden: "true" } },
      element("span", {}, text(from)),
      element("span", {}, text(to)),
    );
    this.element = element("div.stn-strip", {}, head, this.line, ends);
  }

  show({ values, mean, deviation }) {
    setText(this.value, `${this.text(mean)} ± ${this.text(deviation)}`);
    while (this.marks.length < values.length) this.marks.push(element("span.stn-strip-mark"));
    const marks = this.marks.slice(0, values.length);
    if (this.line.childElementCount !== marks.length + 2) {
      this.line.replaceChildren(this.band, ...marks, this.mean);
    }
    values.forEach((value, index) => (marks[index].style.left = this.#share(value)));
    this.mean.style.left = this.#share(mean);
    this.band.style.left = this.#share(mean - deviation);
    this.band.style.right = this.#share(mean + deviation, true);
  }

  #share(value, fromRight = false) {
    const share = Math.min(1, Math.max(0, (value - this.from) / (this.to - this.from)));
    return `${100 * (fromRight ? 1 - share : share)}%`;
  }
}
