// All probes of a frame as one: their mean pictures, where their regions lie, and how those spread.

import { RegionCloud } from "./region-cloud.js";
import { element, setText } from "../ui/dom.js";
import { PixelImage } from "./canvas.js";
import { ownProbeCount, rowsOf, withoutAddedPictures } from "../protocol/frame.js";
import { MIN_FIXED_WINDOW, wholePixelScale } from "./tile-layout.js";
import { meanImage, regionStatistics, STATISTICS } from "../geometry/region-statistics.js";
import { DistributionStrip } from "./distribution-strip.js";
import { transformerName } from "../ui/text.js";

const GAP = 16;
// Heights: below a picture, of a row of regionStatistics, of its name, and of the note below all.
const CAPTION = 26;
const SPREADS = 68;
const NAME = 24;
const NOTE = 36;
// The least width of a number's line, and what is between two, as in styles/sights.css.
const STRIP = 140;
const BETWEEN = 24;
// The least share of the height that numbers take where all of them need more.
const LEAST = 0.45;

export class ProbeSummary {
  constructor() {
    this.input = new MeanImage("Mean of the inputs");
    this.outputs = [];
    this.cloud = new RegionCloud();
    this.spreads = []; // of each transformer a strip for each number
    this.pictures = element("div.stn-summary-images");
    this.told = element("div.stn-summary-numbers");
    this.note = element("p.stn-quiet");
    this.element = element(
      "div.stn-probe-summary",
      { tabIndex: -1 },
      this.pictures,
      this.told,
      this.note,
    );
  }

  /** Takes the focus from what led here. */
  focus() {
    this.element.focus({ preventScroll: true });
  }

  setView({ layers }) {
    this.layers = layers;
  }

  /** Draws the run's own probes: pictures that joined are left out, as they are in the charts. */
  draw(frame, past = []) {
    const { info, tensors } = withoutAddedPictures(frame);
    const shapes = [
      tensors.input,
      ...info.transformers.map(({ name }) => tensors[`output.${name}`]),
    ];
    const key = JSON.stringify([shapes.map(({ shape }) => shape), info.transformers]);
    const built = key !== this.key;
    if (built) this.#build(key, shapes, info.transformers);
    this.input.draw(tensors.input);
    info.transformers.forEach(({ name }, place) =>
      this.outputs[place].draw(tensors[`output.${name}`])
    );
    if (built) this.#fit();
    const size = tensors.input.shape.slice(1, 3);
    const regions = info.transformers.map(({ name }) => rowsOf(tensors[`grid.${name}`]));
    const ways = this.#ways(info, [...past.map(withoutAddedPictures), { tensors }]);
    this.cloud.draw(regions, ways, this.layers);
    regions.forEach((lattices, place) => {
      regionStatistics(lattices, size).forEach((told, index) =>
        this.spreads[place][index].update(told)
      );
    });
    setText(this.note, noteOf(frame, regions.length));
    this.element.dataset.step = info.step;
  }

  // Of each transformer its regions in all frames, where trails are drawn.
  #ways({ transformers }, frames) {
    if (!this.layers.trail) return [];
    return transformers.map(({ name }) =>
      frames.map(({ tensors }) => tensors[`grid.${name}`]).filter(Boolean).map(rowsOf)
    );
  }

  #build(key, [input, ...outputs], transformers) {
    this.key = key;
    const several = outputs.length > 1;
    const labelName = (each, place, other) => transformerName(each, place + 1, other);
    this.outputs = transformers.map((each, place) => {
      const name = several ? labelName(each, place, "outputs").toLowerCase() : "the outputs";
      return new MeanImage(`Mean of ${name}`);
    });
    this.cloud.build(transformers.length, input.shape.slice(1));
    this.spreads = transformers.map(() =>
      STATISTICS.map((number) => new DistributionStrip(number))
    );
    const rows = this.spreads.map((strips, place) => {
      const name = several ? [element("h4", {}, labelName(transformers[place], place))] : [];
      const row = element("div.stn-summary-strips", {}, ...strips.map((strip) => strip.element));
      return element("section", {}, ...name, row);
    });
    this.told.replaceChildren(...rows);
    const clouds = outputs.length ? [this.cloud.element] : [];
    const means = [this.input, ...this.outputs].map((mean) => mean.element);
    this.pictures.replaceChildren(...means, ...clouds);
  }

  /** Fits the pictures into `width` by `height` CSS pixels, the spreads below them. */
  resize(width, height) {
    this.room = { width, height };
    this.#fit();
  }

  #fit() {
    if (!this.room || !this.input.shape) return;
    const { width, height } = this.room;
    const narrow = innerWidth < MIN_FIXED_WINDOW;
    const transformers = this.outputs.length;
    const count = 1 + transformers + (transformers ? 1 : 0);
    const abreast = Math.max(1, Math.floor((width + BETWEEN) / (STRIP + BETWEEN)));
    const lines = Math.ceil(STATISTICS.length / abreast);
    const below = NOTE + transformers * (lines * SPREADS + (transformers > 1 ? NAME : 0));
    const sideIn = (columns) => {
      const rows = Math.ceil(count / columns);
      const each = (width - (columns - 1) * GAP) / columns;
      // Where there is too little room for all, the numbers scroll rather than the pictures shrink.
      const high = (height - Math.min(below, LEAST * height) - rows * GAP) / rows - CAPTION;
      return narrow ? each : Math.min(each, high);
    };
    const all = Array.from({ length: count }, (_, index) => index + 1);
    const columns = narrow
      ? 2
      : all.reduce((one, other) => (sideIn(other) > sideIn(one) ? other : one));
    const side = sideIn(columns);
    for (const mean of [this.input, ...this.outputs]) mean.fit(side);
    this.pictures.style.setProperty("--stn-crowd-side", `${side}px`);
    this.pictures.style.setProperty("--stn-columns", columns);
    this.element.style.maxHeight = narrow ? "" : `${height}px`;
    this.element.classList.toggle("stn-scrolls", !narrow);
  }
}

function noteOf(frame, transformers) {
  if (!transformers) return "This network has no transformer: there is nothing that could spread.";
  const count = ownProbeCount(frame);
  const left = count < frame.info.labels.length ? " Pictures that joined are left out." : "";
  return (
    `Each mark is one of ${count} probes; the bar is their mean, the band one standard deviation to ` +
    `either side.${left}`
  );
}

/** The mean of pictures. */
class MeanImage {
  constructor(title) {
    this.picture = new PixelImage(document);
    this.picture.canvas.className = "stn-image";
    const tile = element("div.stn-summary-tile", {}, this.picture.canvas);
    this.element = element("figure.stn-summary-figure", {}, tile, element("figcaption", {}, title));
  }

  draw(tensor) {
    const { data, shape } = meanImage(tensor);
    this.shape = shape;
    this.picture.draw(data, shape);
  }

  /** Fits it into a square of so many CSS pixels. */
  fit(side) {
    const [height, width] = this.shape;
    const scale = wholePixelScale(side / Math.max(height, width), devicePixelRatio);
    const { style } = this.picture.canvas;
    Object.assign(style, { width: `${scale * width}px`, height: `${scale * height}px` });
  }
}
