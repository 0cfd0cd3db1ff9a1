// One probe, large: what goes in, what comes out, which pixel is sampled where, and theta.

import { ClassBars } from "./class-bars.js";
import { element, icon, ICONS, setText } from "../ui/dom.js";
import { inputMargin } from "../geometry/input-margin.js";
import { hiddenLayers, inverseWarpOf, probabilityOf, regionOf } from "./probe-layers.js";
import { rowOf } from "../protocol/frame.js";
import { pointAt } from "../geometry/region-geometry.js";
import { RegionOverlay } from "./region-overlay.js";
import { ImagePane } from "./image-pane.js";
import { fitPanes, MIN_FIXED_WINDOW, PANE_CAPTION, PANE_GAP } from "./tile-layout.js";
import { PixelInspector } from "./pixel-inspector.js";
import { ThetaPanel } from "./theta-panel.js";
import {
  labelName,
  missingProbeText,
  percent,
  probeCaption,
  probeCollapse,
  transformerName,
  verdictOf,
} from "../ui/text.js";

// CSS pixels: the figures' least width; what stands below the pictures; narrower, the figures do.
const FACTS = 250;
const WORDS = 32;
const STACKED = 620;
const LEAST_FACTS = 120;
const ZOOMS = [1, 2, 4, 8];
// How high a transformer's number is, as a share of the margin around the input.
const NUMBER = 0.5;

export class ProbeDetail {
  /**
   * @param {((by: number) => void) | null} turn called to look at another probe; null has none
   * @param {{handles?: Handles, controls?: Element}} more what lies above the input, to be taken
   *   hold of, and what belongs to it among the figures
   */
  constructor(turn = null, { handles, controls } = {}) {
    this.handles = handles;
    this.controls = controls;
    this.zoom = 1;
    this.classes = new ClassBars();
    this.input = new ImagePane("Input");
    this.overlays = [];
    this.panes = [];
    this.thetas = [];
    this.outputs = element("div.stn-detail-outputs");
    this.pointing = new PixelInspector(() => this.#centre());
    const panes = element("div.stn-detail-panes", {}, this.input.element, this.outputs);
    const below = element("div.stn-detail-below", {}, this.pointing.words, this.#zooms());
    this.pictures = element("div.stn-detail-images", {}, panes, below);
    this.facts = element("div.stn-facts", {}, this.#head(turn));
    this.element = element("div.stn-detail", {}, this.pictures, this.facts);
  }

  #head(turn) {
    this.title = element("h3.stn-detail-title", { tabIndex: -1 });
    this.verdict = element("p.stn-detail-verdict");
    const button = (label, path, by) => {
      const made = element("button.stn-button.stn-round.stn-small", { type: "button" }, icon(path));
      made.title = label;
      made.setAttribute("aria-label", label);
      made.onclick = () => turn(by);
      return made;
    };
    const turns = turn
      ? [
        button("The probe before ([)", ICONS.back, -1),
        button("The next probe (])", ICONS.next, 1),
      ]
      : [];
    const head = element("div.stn-detail-head", {}, this.title, ...turns);
    return element("div", {}, head, this.verdict);
  }

  #zooms() {
    const options = ZOOMS.map((zoom) => element("option", { value: zoom }, `Zoom ${zoom}×`));
    const select = element("select.stn-entry", { title: "Zoom" }, ...options);
    select.setAttribute("aria-label", "Zoom");
    select.onchange = () => {
      this.zoom = Number(select.value);
      this.#fit();
      this.#centre();
    };
    return select;
  }

  /** Takes the focus from what led here. */
  focus() {
    this.title.focus({ preventScroll: true });
  }

  /** Is on the page again, where nothing is scrolled any more. */
  enter() {
    this.#centre();
  }

  /** Sets which probe is looked at, and what is drawn. */
  setView({ probe = 0, layers }) {
    this.probe = probe;
    this.layers = layers;
    this.element.dataset.hidden = hiddenLayers(layers);
  }

  /** Draws its probe of a frame, with a trail through those of earlier steps. */
  draw(frame, past = []) {
    const { info, tensors } = frame;
    const count = tensors.input.shape[0];
    const index = Math.min(this.probe, count - 1);
    const shapes = {
      input: tensors.input.shape.slice(1),
      outputs: info.transformers.map(({ name }) => tensors[`output.${name}`].shape.slice(1)),
      titles: titlesOf(info.transformers, "Output"),
    };
    const anew = JSON.stringify(shapes) !== JSON.stringify(this.shapes);
    if (anew) this.#build(shapes, info);
    const absent = this.probe >= count;
    this.shown = { frame, index, absent };
    this.#showPictures(frame, index, past);
    this.handles?.update(frame, index);
    this.element.classList.toggle("stn-absent", absent);
    if (absent) this.#showAbsent();
    else this.#showFacts(frame, index);
    this.pointing.draw(frame, index);
    if (anew) this.#centre();
    this.element.dataset.step = info.step ?? "";
  }

  #build(shapes, info) {
    this.shapes = shapes;
    const several = shapes.outputs.length > 1;
    this.overlays = shapes.outputs.map((_, place) =>
      new RegionOverlay(document, several ? place + 1 : 0)
    );
    const [height, width] = shapes.input;
    for (const overlay of this.overlays) overlay.fit(height, width, NUMBER);
    this.handles?.build(info.transformers, shapes.input);
    const above = this.handles ? [this.handles.element] : [];
    this.panes = shapes.titles.map((title) => this.#outputPane(title));
    this.pointing.build(this.panes, shapes);
    const drawn = this.overlays.map((overlay) => overlay.element);
    this.input.lay(...drawn, this.pointing.element, ...above);
    this.outputs.replaceChildren(...this.panes.map((pane) => pane.element));
    this.outputs.hidden = !this.panes.length;
    const names = titlesOf(info.transformers, "Transformer");
    this.thetas = names.map((name, place) => new ThetaPanel(several ? place + 1 : 0, name));
    const head = this.facts.firstElementChild;
    const told = this.thetas.map((theta) => theta.element);
    const controls = this.controls ? [this.controls] : [];
    this.facts.replaceChildren(head, ...controls, this.classes.element, ...told);
    this.#fit();
  }

  // Where an enlarged output is scrolled to, its input is too.
  #outputPane(title) {
    const pane = new ImagePane(title);
    pane.onscroll = (across, down) => this.#follow(pane, across, down);
    return pane;
  }

  // Of what is enlarged beyond its room, shows the pixel that is pointed at, else the middle.
  #centre() {
    if (this.zoom === 1 || !this.shown) return;
    const { pixel } = this.pointing;
    this.panes.forEach((pane, place) => {
      const [rows, columns] = this.shapes.outputs[place];
      const here = pixel?.place === place;
      const [across, down] = here
        ? [(pixel.column + 0.5) / columns, (pixel.row + 0.5) / rows]
        : [0.5, 0.5];
      pane.centre(across, down);
      if (place === (pixel?.place ?? 0)) this.#follow(pane, across, down);
    });
    if (!this.panes.length) this.input.centre(0.5, 0.5);
  }

  // Shows where a place of an output, in shares of its sides, is sampled.
  #follow(pane, across, down) {
    const { frame, index } = this.shown;
    const { name } = frame.info.transformers[this.panes.indexOf(pane)];
    const [x, y] = pointAt(rowOf(frame.tensors[`grid.${name}`], index), across, down);
    const [height, width] = this.shapes.input;
    const margin = inputMargin(height, width);
    this.input.centre((x + margin) / (width + 2 * margin), (y + margin) / (height + 2 * margin));
  }

  #showPictures(frame, index, past) {
    const { info, tensors } = frame;
    const { layers } = this;
    if (layers.inverse) {
      const { data, shape } = inverseWarpOf(frame, index);
      this.input.picture.draw(data, shape);
    } else this.input.picture.draw(rowOf(tensors.input, index), this.shapes.input);
    info.transformers.forEach((transformer, place) => {
      const { name } = transformer;
      this.panes[place].picture.draw(
        rowOf(tensors[`output.${name}`], index),
        this.shapes.outputs[place],
      );
      this.overlays[place].draw(...regionOf(frame, transformer, index, layers, past));
    });
  }

  /** Takes the run that its frames are of, as it is now. */
  setRun(run) {
    this.run = run;
    if (this.shown?.absent) this.#showAbsent();
  }

  #showAbsent() {
    setText(this.title, `Probe ${this.probe + 1}`);
    this.verdict.dataset.verdict = "unknown";
    setText(this.verdict, missingProbeText(this.run, this.probe));
  }

  #showFacts(frame, index) {
    const { info, tensors } = frame;
    const count = tensors.input.shape[0];
    const which = count > 1 ? `Probe ${index + 1} of ${count}` : "Your picture";
    const given = probeCaption(info, index);
    setText(this.title, given ? `${which}: ${given}` : which);
    const verdict = verdictOf(info, index);
    this.verdict.dataset.verdict = verdict;
    const taken = `taken for ${labelName(info, info.predicted[index])}`;
    const chance = percent(probabilityOf(frame, index), 0);
    const said = { right: ", which is right", wrong: ", which is wrong", unknown: "" }[verdict];
    const collapsed = probeCollapse(info, index);
    const why = collapsed ? `; ${collapsed.full}` : "";
    setText(this.verdict, `${taken} (${chance})${said}${why}`);
    this.#showClasses(frame, index);
    info.transformers.forEach((transformer, place) => {
      const [theta, lattice] = ["theta", "grid"].map((kind) =>
        rowOf(tensors[`${kind}.${transformer.name}`], index)
      );
      const output = this.shapes.outputs[place];
      this.thetas[place].update(transformer, theta, lattice, output, this.shapes.input);
    });
  }

  // Of a row of labels there is no one distribution to show.
  #showClasses({ info, tensors }, index) {
    const [, ...shape] = tensors.probabilities.shape;
    this.classes.element.hidden = shape.length > 1;
    if (shape.length > 1) return;
    const chances = [...rowOf(tensors.probabilities, index)];
    const most = this.thetas.length > 1 ? 4 : undefined;
    this.classes.update(chances, info.classes, info.predicted[index], most);
  }

  /** Fits the pictures into `width` by `height` CSS pixels, the figures beside or below them. */
  resize(width, height) {
    this.room = { width, height };
    this.#fit();
  }

  #fit() {
    if (!this.room || !this.shapes) return;
    const { width, height } = this.room;
    const stacked = width < STACKED;
    this.element.classList.toggle("stn-stacked", stacked);
    const across = stacked ? width : width - FACTS - 2 * PANE_GAP;
    const { input, outputs } = this.shapes;
    const margin = inputMargin(...input);
    const [rows, columns] = [input[0] + 2 * margin, input[1] + 2 * margin];
    // On a narrow screen, which is scrolled anyway, the figures take what they need.
    const bounded = !stacked || innerWidth >= MIN_FIXED_WINDOW;
    const high = !stacked ? height : 0.5 * (bounded ? height : innerHeight);
    const room = { width: across, height: high - PANE_CAPTION - WORDS };
    const { scale, columns: abreast, sizes } = fitPanes(
      room,
      [rows, columns],
      outputs,
      devicePixelRatio,
    );
    this.input.size(scale * columns, scale * rows, this.zoom, { margin: scale * margin });
    this.outputs.style.setProperty("--stn-columns", abreast);
    this.panes.forEach((pane, place) => {
      const [tall, wide] = sizes[place];
      pane.size(wide, tall, this.zoom);
    });
    // What has too little room scrolls, so that what stands below is not pushed out of sight.
    this.pictures.style.minHeight = stacked && bounded ? `${high}px` : "";
    const left = stacked ? height - high - PANE_GAP : height;
    this.facts.style.maxHeight = bounded ? `${Math.max(left, LEAST_FACTS)}px` : "";
    this.facts.classList.toggle("stn-scrolls", bounded);
  }
}

// What each of several transformers' parts is called; one alone is called as it is.
const titlesOf = (transformers, name) =>
  transformers.map((each, place) =>
    transformers.length > 1 ? transformerName(each, place + 1, name) : name
  );
