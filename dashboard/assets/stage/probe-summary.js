// All probes of a frame at once: mean images, the cloud of regions, and their statistics.

import { meanImage, regionStatistics, STATISTICS } from "../geometry/region-statistics.js";
import { initialProbeCount, rowsOf, withoutAddedPictures } from "../protocol/frame.js";
import { element, setText } from "../ui/dom.js";
import { transformerName } from "../ui/frame-text.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { PixelImage } from "./canvas.js";
import { DistributionStrip } from "./distribution-strip.js";
import { RegionCloud } from "./region-cloud.js";
import { MIN_FIXED_WINDOW_WIDTH, wholePixelScale } from "./tile-layout.js";

/** @import { Frame, Tensor, Transformer } from "../protocol/types.js" */
/** @import { Lattice } from "../geometry/region-geometry.js" */
/** @import { Layers } from "../ui/view-state.js" */

// CSS pixels, as in styles/view.css. Gap between images; heights of an image's caption, of a row of strips,
// of a transformer's name and of the note; the least width of a strip, and the gap between two.
const GAP = 16;
const CAPTION_HEIGHT = 26;
const STRIP_HEIGHT = 68;
const NAME_HEIGHT = 24;
const NOTE_HEIGHT = 36;
const MIN_STRIP_WIDTH = 140;
const STRIP_GAP = 24;
// The share of the height that strips take where all of them need more.
const MAX_STRIPS_SHARE = 0.45;

export class ProbeSummary {
  constructor() {
    this.input = new MeanImage("Mean of the inputs");
    /** @type {MeanImage[]} */
    this.outputs = [];
    this.cloud = new RegionCloud();
    /** @type {DistributionStrip[][]} */
    this.strips = []; // by transformer and statistic
    this.images = element("div.stn-summary-images");
    this.numbers = element("div.stn-summary-numbers");
    this.note = element("p.stn-muted");
    const parts = [this.images, this.numbers, this.note];
    this.element = element("div.stn-probe-summary", { tabIndex: -1 }, ...parts);
    /** @type {Layers} */
    this.layers = DEFAULT_LAYERS;
    /** @type {{width: number, height: number} | null} */
    this.space = null;
    this.key = ""; // identifies the shapes that the elements were built for
  }

  /** Focus the summary. */
  focus() {
    this.element.focus({ preventScroll: true });
  }

  /** @param {{layers: Layers}} view */
  setView({ layers }) {
    this.layers = layers;
  }

  /**
   * Draw the probes that the run started with: added pictures are left out, as in the charts.
   * @param {Frame} frame
   * @param {Frame[]} trail frames of earlier steps that trails run through
   */
  draw(frame, trail = []) {
    const initial = withoutAddedPictures(frame);
    const { info: { step, transformers }, tensors } = initial;
    const outputs = transformers.map(({ name }) => tensors[`output.${name}`]);
    const shapes = [tensors.input, ...outputs].map(({ shape }) => shape);
    const key = JSON.stringify([shapes, transformers]);
    const isBuilt = key === this.key;
    if (!isBuilt) this.#build(key, tensors.input.shape.slice(1, 3), transformers);
    this.input.draw(tensors.input);
    outputs.forEach((output, index) => this.outputs[index].draw(output));
    if (!isBuilt) this.#fit();
    const regions = transformers.map(({ name }) => rowsOf(tensors[`grid.${name}`]));
    const frames = [...trail.map(withoutAddedPictures), initial];
    this.cloud.draw(regions, this.#trailRegions(transformers, frames), this.layers);
    regions.forEach((lattices, transformer) => {
      const statistics = regionStatistics(lattices, tensors.input.shape.slice(1, 3));
      statistics.forEach((each, index) => this.strips[transformer][index].update(each));
    });
    setText(this.note, noteText(frame, transformers.length));
    this.element.dataset.step = String(step);
  }

  /**
   * Return each transformer's regions in all frames, where trails are drawn.
   * @param {Transformer[]} transformers
   * @param {Frame[]} frames
   * @returns {Lattice[][][]}
   */
  #trailRegions(transformers, frames) {
    if (!this.layers.trail) return [];
    return transformers.map(({ name }) =>
      frames.map(({ tensors }) => tensors[`grid.${name}`]).filter(Boolean).map(rowsOf)
    );
  }

  /**
   * @param {string} key
   * @param {number[]} size height and width of the input
   * @param {Transformer[]} transformers
   */
  #build(key, size, transformers) {
    this.key = key;
    const hasSeveral = transformers.length > 1;
    this.outputs = transformers.map((each, index) => {
      const name = hasSeveral
        ? transformerName(each, index + 1, "outputs").toLowerCase()
        : "the outputs";
      return new MeanImage(`Mean of ${name}`);
    });
    this.cloud.build(transformers.length, size);
    this.strips = transformers.map(() => STATISTICS.map((each) => new DistributionStrip(each)));
    const sections = this.strips.map((strips, index) => {
      const name = transformerName(transformers[index], index + 1);
      const heading = hasSeveral ? [element("h4", {}, name)] : [];
      const row = element("div.stn-summary-strips", {}, ...strips.map((strip) => strip.element));
      return element("section", {}, ...heading, row);
    });
    this.numbers.replaceChildren(...sections);
    const clouds = transformers.length ? [this.cloud.element] : [];
    const means = [this.input, ...this.outputs].map((mean) => mean.element);
    this.images.replaceChildren(...means, ...clouds);
  }

  /**
   * Fit the images into an area, the strips below them.
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   */
  resize(width, height) {
    this.space = { width, height };
    this.#fit();
  }

  #fit() {
    if (!this.space || !this.input.shape) return;
    const { width, height } = this.space;
    const isNarrow = innerWidth < MIN_FIXED_WINDOW_WIDTH;
    const transformers = this.outputs.length;
    const images = 1 + transformers + (transformers ? 1 : 0);
    const stripsHeight = Math.min(
      this.#stripsHeight(width, transformers),
      // Where not everything fits, the strips scroll rather than the images shrink.
      MAX_STRIPS_SHARE * height,
    );
    /** @param {number} columns */
    const sideIn = (columns) => {
      const rows = Math.ceil(images / columns);
      const across = (width - (columns - 1) * GAP) / columns;
      const down = (height - stripsHeight - rows * GAP) / rows - CAPTION_HEIGHT;
      return isNarrow ? across : Math.min(across, down);
    };
    const choices = Array.from({ length: images }, (_, index) => index + 1);
    const columns = isNarrow
      ? 2
      : choices.reduce((best, each) => (sideIn(each) > sideIn(best) ? each : best));
    const side = sideIn(columns);
    for (const mean of [this.input, ...this.outputs]) mean.fit(side);
    this.images.style.setProperty("--stn-summary-side", `${side}px`);
    this.images.style.setProperty("--stn-columns", String(columns));
    this.element.style.maxHeight = isNarrow ? "" : `${height}px`;
    this.element.classList.toggle("stn-scrolls", !isNarrow);
  }

  /**
   * @param {number} width
   * @param {number} transformers
   */
  #stripsHeight(width, transformers) {
    const columns = Math.max(1, Math.floor((width + STRIP_GAP) / (MIN_STRIP_WIDTH + STRIP_GAP)));
    const rows = Math.ceil(STATISTICS.length / columns);
    return NOTE_HEIGHT +
      transformers * (rows * STRIP_HEIGHT + (transformers > 1 ? NAME_HEIGHT : 0));
  }
}

/**
 * @param {Frame} frame
 * @param {number} transformers
 */
function noteText(frame, transformers) {
  if (!transformers) return "This network has no transformer, so there are no regions.";
  const count = initialProbeCount(frame);
  const omitted = count < frame.info.labels.length ? " Added pictures are left out." : "";
  return (
    `Each mark is one of ${count} probes; the bar is their mean, the band one standard deviation to ` +
    `either side.${omitted}`
  );
}

/** The mean of images, with a caption. */
class MeanImage {
  /** @param {string} title */
  constructor(title) {
    this.image = new PixelImage();
    this.image.canvas.className = "stn-image";
    const tile = element("div.stn-summary-tile", {}, this.image.canvas);
    const caption = element("figcaption", {}, title);
    this.element = element("figure.stn-summary-figure", {}, tile, caption);
    /** @type {number[] | null} */
    this.shape = null;
  }

  /** @param {Tensor} images */
  draw(images) {
    const { data, shape } = meanImage(images);
    this.shape = shape;
    this.image.draw(data, shape);
  }

  /**
   * Fit the image into a square.
   * @param {number} side in CSS pixels
   */
  fit(side) {
    if (!this.shape) return;
    const [height, width] = this.shape;
    const scale = wholePixelScale(side / Math.max(height, width), devicePixelRatio);
    const { style } = this.image.canvas;
    Object.assign(style, { width: `${scale * width}px`, height: `${scale * height}px` });
  }
}
