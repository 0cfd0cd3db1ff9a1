// All probes of a run as a grid of tiles, each with its input and outputs.

import { inputMargin } from "../geometry/input-margin.js";
import { element } from "../ui/dom.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { StageCanvas } from "./canvas.js";
import { hiddenLayers } from "./probe-layers.js";
import { ProbeTile } from "./probe-tile.js";
import { columnWidths, fitTiles, wholePixelScale, wholePixelSize } from "./tile-layout.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { Layers } from "../ui/view-state.js" */
/** @import { Size } from "./tile-layout.js" */

/** @typedef {{count: number, input: number[], outputs: number[][]}} Shapes of all probes */

// CSS pixels, as in styles/stage.css: between tiles, below a tile's images, between its images.
const GAP = 10;
const CAPTION_HEIGHT = 24;
const IMAGE_GAP = 4;
// Height of the row of headings above the first tiles, with the rest of the gap below it.
const HEADINGS_HEIGHT = 18;
// Outputs of several transformers are in two rows.
/** @param {unknown[]} outputs */
const rowCount = (outputs) => Math.min(2, outputs.length);
/** @param {unknown[]} outputs */
const columnCount = (outputs) => Math.ceil(outputs.length / 2);
// The shapes for which space is reserved before the first frame.
const INITIAL_SHAPES = { count: 12, input: [48, 48, 1], outputs: [[28, 28, 1]] };
// Milliseconds between two descriptions for screen readers, which take time to read one.
const DESCRIBE_INTERVAL = 2000;

export class ProbeGrid {
  /**
   * @param {(probe: number, isByKey?: boolean) => void} onOpen called with a probe that was chosen
   */
  constructor(onOpen) {
    this.element = element("div.stn-probes", { aria: { label: "Probes" }, role: "group" });
    this.canvas = new StageCanvas();
    this.headings = element("div.stn-headings", { aria: { hidden: "true" } });
    this.headingsText = "";
    this.onOpen = onOpen;
    /** @type {Layers} */
    this.layers = DEFAULT_LAYERS;
    /** @type {ProbeGrid | null} */
    this.comparedGrid = null; // another run's grid, laid out alike
    this.reserved = 0; // probes
    /** @type {{width: number, height: number, minHeight?: number} | null} */
    this.space = null;
    /** @type {Shapes} */
    this.shapes = INITIAL_SHAPES;
    /** @type {ProbeTile[]} */
    this.tiles = [];
    /** @type {number[] | null} */
    this.picked = null; // probes that are chosen; null while none can be
    this.columns = 1;
    this.describedAt = 0; // in milliseconds since 1970
    this.#build(INITIAL_SHAPES);
    new ResizeObserver(() => this.#placeImages()).observe(this.element);
  }

  /**
   * Set which layers are drawn.
   * @param {{layers: Layers}} view
   */
  setView({ layers }) {
    const before = this.layers;
    this.layers = layers;
    this.element.dataset.hidden = hiddenLayers(layers);
    if (before.outputs !== layers.outputs) this.#fit();
  }

  /**
   * Focus a probe's tile.
   * @param {number} probe
   */
  focus(probe) {
    this.tiles[Math.min(probe, this.tiles.length - 1)].element.focus({ preventScroll: true });
  }

  /**
   * Mark the probes that are picked.
   * @param {number[] | null} picked null while pressing a tile opens it
   */
  setPicked(picked) {
    this.picked = picked;
    this.element.classList.toggle("stn-picking", picked !== null);
    this.tiles.forEach((tile, index) => {
      if (picked === null) tile.element.removeAttribute("aria-pressed");
      else tile.element.setAttribute("aria-pressed", String(picked.includes(index)));
    });
  }

  /**
   * Reserve space for as many probes, though earlier frames have fewer.
   * @param {number} count
   */
  reserve(count) {
    if (count === this.reserved) return;
    this.reserved = count;
    this.#fit();
    this.comparedGrid?.refit();
  }

  /**
   * Lay tiles out as in another grid, so that a probe has the same position in both; null ends it.
   * @param {ProbeGrid | null} comparedGrid
   */
  alignWith(comparedGrid) {
    if (comparedGrid === this.comparedGrid) return;
    this.comparedGrid = comparedGrid;
    this.#fit();
  }

  /** The number of tiles that there is space for. */
  get count() {
    return Math.max(this.shapes.count, this.reserved);
  }

  /** The height of the grid in its space when inputs and outputs are drawn, in CSS pixels. */
  get fullHeight() {
    const layout = this.#bestLayout(false);
    if (!layout) return 0;
    const rows = Math.ceil(this.count / layout.columns);
    return HEADINGS_HEIGHT + rows * layout.tile.height + (rows - 1) * GAP;
  }

  /** The height of an input with its margin, in pixels of the input. */
  get inputHeight() {
    const [height, width] = this.shapes.input;
    return height + 2 * inputMargin(height, width);
  }

  /**
   * Return the scale at which this grid's inputs are as high as inputs of another height, or less.
   * @param {number} scale of the other inputs
   * @param {number} inputHeight of the other inputs, with their margin
   */
  scaleFor(scale, inputHeight) {
    if (inputHeight === this.inputHeight) return scale;
    return wholePixelScale((scale * inputHeight) / this.inputHeight, devicePixelRatio);
  }

  /**
   * Return the size of a tile, and of the images in it, at a scale.
   * @param {number} scale
   * @param {boolean} outputsOnly
   */
  tileAt(scale, outputsOnly) {
    const { input: [rows, columns], outputs } = this.shapes;
    const margin = inputMargin(rows, columns);
    const input = {
      height: scale * (rows + 2 * margin),
      width: outputsOnly ? 0 : scale * (columns + 2 * margin),
      margin: scale * margin,
    };
    const outputRows = rowCount(outputs);
    const outputHeight = (input.height - IMAGE_GAP * (outputRows - 1)) / outputRows;
    const sizes = outputs.map((shape) => wholePixelSize(outputHeight, shape, devicePixelRatio));
    const across = outputsWidth(sizes);
    const width = outputsOnly ? across : input.width + (across && IMAGE_GAP + across);
    return { width, height: input.height + CAPTION_HEIGHT, input, outputs: sizes };
  }

  get #outputsOnly() {
    return this.layers.outputs && this.shapes.outputs.length > 0;
  }

  /**
   * Draw a frame. Called within an animation frame; the layout stays.
   * @param {Frame} frame
   * @param {Frame[]} trail frames of earlier steps that trails run through
   */
  draw(frame, trail = []) {
    const shapes = shapesOf(frame);
    if (JSON.stringify(shapes) !== JSON.stringify(this.shapes)) this.#build(shapes);
    this.tiles.forEach((tile, index) => tile.draw(frame, index, this.layers, trail));
    this.canvas.draw();
    this.element.dataset.step = String(frame.info.step);
    if (Date.now() - this.describedAt > DESCRIBE_INTERVAL) {
      this.describedAt = Date.now();
      this.tiles.forEach((tile, index) => tile.describe(frame, index));
    }
  }

  /**
   * Fit the tiles into an area; on small screens they may be higher.
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   * @param {number} [minHeight] of tiles, as of `fitTiles`
   */
  resize(width, height, minHeight) {
    this.space = { width, height, minHeight };
    this.#fit();
  }

  /** Fit again, since the other grid's sizes have changed. */
  refit() {
    this.#fit();
  }

  /** @param {boolean} outputsOnly */
  #bestLayout(outputsOnly) {
    if (!this.space) return null;
    const grids = this.comparedGrid ? [this, this.comparedGrid] : [this];
    const inputHeight = Math.max(...grids.map((grid) => grid.inputHeight));
    /** @param {number} scale @returns {Size} */
    const largestTile = (scale) => {
      const tiles = grids.map((grid) =>
        grid.tileAt(grid.scaleFor(scale, inputHeight), outputsOnly)
      );
      return {
        width: Math.max(...tiles.map((tile) => tile.width)),
        height: Math.max(...tiles.map((tile) => tile.height)),
      };
    };
    const { columns, scale } = fitTiles({
      ...this.space,
      height: this.space.height - HEADINGS_HEIGHT,
      count: Math.max(...grids.map((grid) => grid.count)),
      tile: largestTile,
      gap: GAP,
      density: devicePixelRatio,
    });
    return { columns, scale: this.scaleFor(scale, inputHeight), tile: largestTile(scale) };
  }

  #fit() {
    const layout = this.#bestLayout(this.#outputsOnly);
    if (!layout) return;
    const { input, outputs } = this.tileAt(layout.scale, this.#outputsOnly);
    this.columns = layout.columns;
    this.#updateHeadings();
    const { style, classList } = this.element;
    classList.toggle("stn-outputs-only", this.#outputsOnly);
    style.removeProperty("--stn-column");
    style.setProperty("--stn-columns", String(layout.columns));
    style.setProperty("--stn-row-height", `${layout.tile.height - CAPTION_HEIGHT}px`);
    style.setProperty("--stn-input-width", `${input.width}px`);
    style.setProperty("--stn-tile-height", `${input.height}px`);
    style.setProperty("--stn-margin", `${input.margin}px`);
    style.setProperty("--stn-outputs", `${outputsWidth(outputs)}px`);
    style.setProperty("--stn-output-columns", String(columnCount(outputs) || 1));
    for (const tile of this.tiles) {
      tile.outputs.forEach((output, index) => {
        output.element.style.height = `${outputs[index].height}px`;
        output.element.style.width = `${outputs[index].width}px`;
      });
    }
    this.#placeImages();
  }

  /** Write what is an input, and what an output, above each column. */
  #updateHeadings() {
    const count = Math.min(this.columns, this.tiles.length);
    const outputs = this.shapes.outputs.length;
    const titles = [
      ...(this.#outputsOnly ? [] : ["Input"]),
      ...(outputs ? [outputs > 1 ? "Outputs" : "Output"] : []),
    ];
    const text = `${count} ${titles.join()}`;
    if (text === this.headingsText) return;
    this.headingsText = text;
    this.headings.replaceChildren(
      ...Array.from(
        { length: count },
        () => element("span.stn-heading", {}, ...titles.map((title) => element("span", {}, title))),
      ),
    );
  }

  #placeImages() {
    const { clientWidth, style } = this.element;
    if (!clientWidth) return; // not on the page
    // Columns share all of the width, but begin at whole pixels of the screen.
    const width = (clientWidth - (this.columns - 1) * GAP) / this.columns;
    const column = Math.floor(width * devicePixelRatio) / devicePixelRatio;
    style.setProperty("--stn-column", `${column}px`);
    const images = this.tiles.flatMap((tile) =>
      this.#outputsOnly ? tile.outputs : [tile.input, ...tile.outputs]
    );
    this.canvas.placeImages(images, this.element, devicePixelRatio);
  }

  /** @param {Shapes} shapes */
  #build(shapes) {
    this.shapes = shapes;
    this.tiles = Array.from({ length: shapes.count }, () => new ProbeTile(shapes));
    this.tiles.forEach((tile, index) => this.#makeClickable(tile.element, index));
    const tiles = this.tiles.map((tile) => tile.element);
    this.element.replaceChildren(this.canvas.element, this.headings, ...tiles);
    this.setPicked(this.picked);
    this.describedAt = 0;
    this.#fit();
    this.comparedGrid?.refit();
  }

  /**
   * @param {HTMLElement} tile
   * @param {number} index
   */
  #makeClickable(tile, index) {
    tile.classList.add("stn-clickable");
    tile.setAttribute("role", "button");
    tile.tabIndex = 0;
    tile.onclick = () => this.onOpen(index);
    tile.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      this.onOpen(index, true);
    };
  }
}

/**
 * @param {Frame} frame
 * @returns {Shapes}
 */
function shapesOf({ info, tensors }) {
  const [count, ...input] = tensors.input.shape;
  const outputs = info.transformers.map(({ name }) => tensors[`output.${name}`].shape.slice(1));
  return { count, input, outputs };
}

/**
 * Return the width of all outputs, placed row by row.
 * @param {Size[]} outputs
 */
function outputsWidth(outputs) {
  const columns = columnCount(outputs);
  const widths = columnWidths(outputs.map(({ width }) => width), columns);
  return widths.reduce((sum, width) => sum + width, IMAGE_GAP * Math.max(0, columns - 1));
}
