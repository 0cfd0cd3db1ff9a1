// One probe, large: its input and outputs, the pixel under the pointer, classes and theta.

import { inputMargin } from "../geometry/input-margin.js";
import { pointAt } from "../geometry/region-geometry.js";
import { rowOf } from "../protocol/frame.js";
import { element, icon, ICONS, setText } from "../ui/dom.js";
import {
  labelName,
  missingProbeText,
  probeCaption,
  probeCollapse,
  transformerName,
  verdictOf,
} from "../ui/frame-text.js";
import { percent } from "../ui/number-text.js";
import { DEFAULT_LAYERS } from "../ui/view-state.js";
import { ClassBars } from "./class-bars.js";
import { ImagePane } from "./image-pane.js";
import { PixelInspector } from "./pixel-inspector.js";
import {
  hiddenLayers,
  predictedProbability,
  probeInverseWarp,
  regionParts,
} from "./probe-layers.js";
import { RegionOverlay } from "./region-overlay.js";
import { ThetaPanel } from "./theta-panel.js";
import { fitPanes, MIN_FIXED_WINDOW_WIDTH, PANE_CAPTION_HEIGHT, PANE_GAP } from "./tile-layout.js";

/** @import { Frame, FrameInfo, Run, Transformer } from "../protocol/types.js" */
/** @import { Layers } from "../ui/view-state.js" */

/**
 * Draggable handles above the input.
 * @typedef {object} Handles
 * @property {HTMLElement} element
 * @property {(transformers: Transformer[], input: number[]) => void} build
 * @property {(frame: Frame, index: number) => void} update
 */

/** @typedef {{input: number[], outputs: number[][], titles: string[]}} Shapes */

// CSS pixels: the least width of the facts beside the images; the height of the text below the images;
// the width below which the facts are below the images; and their least height there.
const MIN_FACTS_WIDTH = 250;
const TEXT_HEIGHT = 32;
const MIN_FACTS_BESIDE_WIDTH = 620;
const MIN_FACTS_HEIGHT = 120;
const ZOOMS = [1, 2, 4, 8];
// The height of a transformer's number, as a share of the margin around the input.
const LABEL_HEIGHT = 0.5;
// How many classes are shown where several transformers need space too.
const MAX_CLASSES_OF_SEVERAL = 4;

export class ProbeDetail {
  /**
   * @param {((offset: number) => void) | null} onChangeProbe called to open another
   *   probe; null where there is none
   * @param {{handles?: Handles, controls?: HTMLElement}} extras handles above the input, and controls
   *   for them among the facts
   */
  constructor(onChangeProbe = null, { handles, controls } = {}) {
    this.handles = handles;
    this.controls = controls;
    this.zoom = 1;
    this.probe = 0;
    this.pictureName = "Your picture"; // the title of a frame of one image
    /** @type {Layers} */
    this.layers = DEFAULT_LAYERS;
    /** @type {Run | null} */
    this.run = null;
    /** @type {Shapes | null} */
    this.shapes = null;
    /** @type {{width: number, height: number} | null} */
    this.space = null;
    /** @type {{frame: Frame, index: number, isMissing: boolean} | null} */
    this.drawn = null;
    this.classes = new ClassBars();
    this.input = new ImagePane("Input");
    /** @type {RegionOverlay[]} */
    this.overlays = [];
    /** @type {ImagePane[]} */
    this.outputs = [];
    /** @type {ThetaPanel[]} */
    this.thetas = [];
    this.inspector = new PixelInspector(() => this.#scrollToPixel());
    this.outputsElement = element("div.stn-detail-outputs");
    const panes = element("div.stn-detail-panes", {}, this.input.element, this.outputsElement);
    const below = element("div.stn-detail-below", {}, this.inspector.text, this.#zoomSelect());
    this.images = element("div.stn-detail-images", {}, panes, below);
    this.title = element("h2.stn-detail-title", { tabIndex: -1 });
    this.verdict = element("p.stn-detail-verdict");
    this.head = element("div", {}, this.#titleRow(onChangeProbe), this.verdict);
    this.facts = element("div.stn-facts", {}, this.head);
    this.element = element("div.stn-detail", {}, this.images, this.facts);
  }

  /** @param {((offset: number) => void) | null} onChangeProbe */
  #titleRow(onChangeProbe) {
    const row = element("div.stn-detail-head", {}, this.title);
    if (!onChangeProbe) return row;
    /** @param {string} label @param {string} path @param {number} offset */
    const button = (label, path, offset) => {
      const name = "button.stn-button.stn-icon-button.stn-small";
      const made = element(name, { type: "button", title: label, aria: { label } }, icon(path));
      made.onclick = () => onChangeProbe(offset);
      return made;
    };
    row.append(
      button("Previous probe ([)", ICONS.back, -1),
      button("Next probe (])", ICONS.next, 1),
    );
    return row;
  }

  #zoomSelect() {
    const select = document.createElement("select");
    select.className = "stn-entry";
    select.title = "Zoom";
    select.setAttribute("aria-label", "Zoom");
    select.append(...ZOOMS.map((zoom) => new Option(`Zoom ${zoom}×`, String(zoom))));
    select.onchange = () => {
      this.zoom = Number(select.value);
      this.#fit();
      this.#scrollToPixel();
    };
    return select;
  }

  /** Focus the title. */
  focus() {
    this.title.focus({ preventScroll: true });
  }

  /** Restore the scroll positions, which are lost while the element is not on the page. */
  restoreScroll() {
    this.#scrollToPixel();
  }

  /**
   * Set which probe and which layers are drawn.
   * @param {{probe?: number, layers: Layers}} view
   */
  setView({ probe = 0, layers }) {
    this.probe = probe;
    this.layers = layers;
    this.element.dataset.hidden = hiddenLayers(layers);
  }

  /**
   * Draw the probe of a frame.
   * @param {Frame} frame
   * @param {Frame[]} trail frames of earlier steps that the trail runs through
   */
  draw(frame, trail = []) {
    const { info, tensors } = frame;
    const count = tensors.input.shape[0];
    const index = Math.min(this.probe, count - 1);
    const shapes = shapesOf(frame);
    const hasChanged = JSON.stringify(shapes) !== JSON.stringify(this.shapes);
    if (hasChanged) this.#build(shapes, info);
    const isMissing = this.probe >= count;
    this.drawn = { frame, index, isMissing };
    this.#drawImages(frame, index, shapes, trail);
    this.handles?.update(frame, index);
    this.element.classList.toggle("stn-missing", isMissing);
    if (isMissing) this.#updateMissing();
    else this.#updateFacts(frame, index, shapes);
    this.inspector.draw(frame, index);
    if (hasChanged) this.#scrollToPixel();
    this.element.dataset.step = String(info.step ?? "");
  }

  /**
   * @param {Shapes} shapes
   * @param {FrameInfo} info
   */
  #build(shapes, { transformers }) {
    this.shapes = shapes;
    const numbers = transformers.map((_, index) => (transformers.length > 1 ? index + 1 : 0));
    const [height, width] = shapes.input;
    this.overlays = numbers.map((number) => new RegionOverlay(number));
    for (const overlay of this.overlays) overlay.fit(height, width, LABEL_HEIGHT);
    this.handles?.build(transformers, shapes.input);
    this.outputs = shapes.titles.map((title) => this.#outputPane(title));
    this.inspector.build(this.outputs, shapes);
    this.input.setOverlays(
      ...this.overlays.map((overlay) => overlay.element),
      this.inspector.element,
      ...(this.handles ? [this.handles.element] : []),
    );
    this.outputsElement.replaceChildren(...this.outputs.map((pane) => pane.element));
    this.outputsElement.hidden = !this.outputs.length;
    const names = transformerTitles(transformers, "Transformer");
    this.thetas = names.map((name, index) => new ThetaPanel(numbers[index], name));
    this.facts.replaceChildren(
      this.head,
      ...(this.controls ? [this.controls] : []),
      this.classes.element,
      ...this.thetas.map((theta) => theta.element),
    );
    this.#fit();
  }

  /**
   * Make a pane whose scroll position the input's pane follows.
   * @param {string} title
   */
  #outputPane(title) {
    const pane = new ImagePane(title);
    pane.onscroll = (across, down) => this.#scrollInput(this.outputs.indexOf(pane), across, down);
    return pane;
  }

  // Scroll enlarged images to the inspected pixel, or to their centres.
  #scrollToPixel() {
    if (this.zoom === 1 || !this.shapes || !this.drawn) return;
    const { shapes: { outputs }, inspector: { pixel } } = this;
    this.outputs.forEach((pane, index) => {
      const [rows, columns] = outputs[index];
      const isInspected = pixel?.output === index;
      const across = isInspected ? (pixel.column + 0.5) / columns : 0.5;
      const down = isInspected ? (pixel.row + 0.5) / rows : 0.5;
      pane.scrollToPoint(across, down);
      if (index === (pixel?.output ?? 0)) this.#scrollInput(index, across, down);
    });
    if (!this.outputs.length) this.input.scrollToPoint(0.5, 0.5);
  }

  /**
   * Scroll the input to where a point of an output is sampled.
   * @param {number} output its index
   * @param {number} across the point, in shares of the output's sides
   * @param {number} down
   */
  #scrollInput(output, across, down) {
    if (!this.shapes || !this.drawn) return;
    const { frame, index } = this.drawn;
    const { name } = frame.info.transformers[output];
    const [x, y] = pointAt(rowOf(frame.tensors[`grid.${name}`], index), across, down);
    const [height, width] = this.shapes.input;
    const margin = inputMargin(height, width);
    this.input.scrollToPoint(
      (x + margin) / (width + 2 * margin),
      (y + margin) / (height + 2 * margin),
    );
  }

  /**
   * @param {Frame} frame
   * @param {number} index
   * @param {Shapes} shapes
   * @param {Frame[]} trail
   */
  #drawImages(frame, index, shapes, trail) {
    const { info, tensors } = frame;
    if (this.layers.inverse) {
      const { data, shape } = probeInverseWarp(frame, index);
      this.input.image.draw(data, shape);
    } else this.input.image.draw(rowOf(tensors.input, index), shapes.input);
    info.transformers.forEach((transformer, position) => {
      const output = rowOf(tensors[`output.${transformer.name}`], index);
      this.outputs[position].image.draw(output, shapes.outputs[position]);
      this.overlays[position].draw(regionParts(frame, transformer, index, this.layers, trail));
    });
  }

  /**
   * Set the current state of the frames' run.
   * @param {Run | null} run
   */
  setRun(run) {
    this.run = run;
    if (this.drawn?.isMissing) this.#updateMissing();
  }

  #updateMissing() {
    setText(this.title, `Probe ${this.probe + 1}`);
    this.verdict.dataset.verdict = "unknown";
    setText(this.verdict, missingProbeText(this.run, this.probe));
  }

  /**
   * @param {Frame} frame
   * @param {number} index
   * @param {Shapes} shapes
   */
  #updateFacts(frame, index, shapes) {
    const { info, tensors } = frame;
    const count = tensors.input.shape[0];
    const name = count > 1 ? `Probe ${index + 1} of ${count}` : this.pictureName;
    const caption = probeCaption(info, index);
    setText(this.title, caption ? `${name}: ${caption}` : name);
    this.verdict.dataset.verdict = verdictOf(info, index);
    setText(this.verdict, verdictText(frame, index));
    this.#updateClasses(frame, index);
    info.transformers.forEach((transformer, position) => {
      const [theta, lattice] = ["theta", "grid"].map((kind) =>
        rowOf(tensors[`${kind}.${transformer.name}`], index)
      );
      const output = shapes.outputs[position];
      this.thetas[position].update(transformer, theta, lattice, output, shapes.input);
    });
  }

  /**
   * Update the bars of classes; a row of labels has no single distribution that could be shown.
   * @param {Frame} frame
   * @param {number} index
   */
  #updateClasses({ info, tensors }, index) {
    const [, ...shape] = tensors.probabilities?.shape ?? [];
    this.classes.element.hidden = shape.length !== 1;
    if (shape.length !== 1) return;
    const probabilities = [...rowOf(tensors.probabilities, index)];
    const limit = this.thetas.length > 1 ? MAX_CLASSES_OF_SEVERAL : undefined;
    this.classes.update(probabilities, info.classes, info.predicted[index], limit);
  }

  /**
   * Fit the images into an area, the facts beside or below them.
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   */
  resize(width, height) {
    this.space = { width, height };
    this.#fit();
  }

  #fit() {
    if (!this.space || !this.shapes) return;
    const { width, height } = this.space;
    const { input: [inputRows, inputColumns], outputs } = this.shapes;
    const margin = inputMargin(inputRows, inputColumns);
    const [rows, columns] = [inputRows + 2 * margin, inputColumns + 2 * margin];
    const isStacked = width < MIN_FACTS_BESIDE_WIDTH;
    this.element.classList.toggle("stn-stacked", isStacked);
    // On a narrow screen, which is scrolled anyway, the facts take the height they need.
    const isBounded = !isStacked || innerWidth >= MIN_FIXED_WINDOW_WIDTH;
    const imagesHeight = isStacked ? 0.5 * (isBounded ? height : innerHeight) : height;
    const { scale, columns: outputColumns, sizes } = fitPanes(
      {
        width: isStacked ? width : width - MIN_FACTS_WIDTH - 2 * PANE_GAP,
        height: imagesHeight - PANE_CAPTION_HEIGHT - TEXT_HEIGHT,
      },
      [rows, columns],
      outputs,
      devicePixelRatio,
    );
    this.input.setSize(scale * columns, scale * rows, this.zoom, scale * margin);
    this.outputsElement.style.setProperty("--stn-columns", String(outputColumns));
    this.outputs.forEach((pane, index) => {
      const [paneHeight, paneWidth] = sizes[index];
      pane.setSize(paneWidth, paneHeight, this.zoom);
    });
    this.images.style.minHeight = isStacked && isBounded ? `${imagesHeight}px` : "";
    // Facts that do not fit scroll, so that they do not push the controls out of sight.
    const left = isStacked ? height - imagesHeight - PANE_GAP : height;
    this.facts.style.maxHeight = isBounded ? `${Math.max(left, MIN_FACTS_HEIGHT)}px` : "";
    this.facts.classList.toggle("stn-scrolls", isBounded);
  }
}

/**
 * @param {Frame} frame
 * @returns {Shapes}
 */
function shapesOf({ info: { transformers }, tensors }) {
  return {
    input: tensors.input.shape.slice(1),
    outputs: transformers.map(({ name }) => tensors[`output.${name}`].shape.slice(1)),
    titles: transformerTitles(transformers, "Output"),
  };
}

/**
 * Return a title for each transformer's part; numbered only where there are several.
 * @param {Transformer[]} transformers
 * @param {string} title
 */
const transformerTitles = (transformers, title) =>
  transformers.map((each, index) =>
    transformers.length > 1 ? transformerName(each, index + 1, title) : title
  );

/**
 * @param {Frame} frame
 * @param {number} index
 */
function verdictText(frame, index) {
  const { info } = frame;
  if (info.predicted[index] === null) return probeCollapse(info, index)?.full ?? "";
  const predicted = `classified as ${labelName(info, info.predicted[index])}`;
  const probability = percent(predictedProbability(frame, index), 0);
  const verdict = verdictOf(info, index);
  const known = verdict === "unknown" ? "" : `, which is ${verdict}`;
  const collapse = probeCollapse(info, index);
  return `${predicted} (${probability})${known}${collapse ? `; ${collapse.full}` : ""}`;
}
