// One probe, large: what goes in, what comes out, which pixel is sampled where, and theta.

import { Classes } from "./classes.js";
import { element, icon, ICONS, setText } from "./dom.js";
import { marginOf } from "./draw.js";
import { hiddenOf, probabilityOf, regionOf, undoneOf } from "./drawn.js";
import { rowOf } from "./frame.js";
import { Overlay } from "./overlay.js";
import { GAP, Pane, panesWithin } from "./pane.js";
import { sampleOf } from "./sample.js";
import { Theta } from "./thetas.js";
import { collapseOf, givenName, nameOf, percent, verdictOf } from "./words.js";

// CSS pixels: the figures' least width; a caption's height; narrower, the figures stand below.
const FACTS = 250;
const CAPTION = 22;
const STACKED = 620;
const ZOOMS = [1, 2, 4, 8];

const SVG = "http://www.w3.org/2000/svg";

export class One {
  /**
   * @param {((by: number) => void) | null} turn called to look at another probe; null has none
   * @param {{handles?: Handles, controls?: Element}} more what lies above the input, to be taken
   *   hold of, and what belongs to it among the figures
   */
  constructor(turn = null, { handles, controls } = {}) {
    this.handles = handles;
    this.controls = controls;
    this.zoom = 1;
    this.pixel = null; // of the output that is pointed at: {place, row, column}
    this.classes = new Classes();
    this.input = new Pane("Input");
    this.overlays = [];
    this.panes = [];
    this.thetas = [];
    this.pictures = element("div.stn-one-pictures");
    this.sampled = element("p.stn-sampled");
    this.facts = element("div.stn-facts", {}, this.#head(turn));
    this.element = element("div.stn-one", {}, this.pictures, this.facts);
  }

  #head(turn) {
    this.title = element("h3.stn-one-title");
    this.verdict = element("p.stn-one-verdict");
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
    const head = element("div.stn-one-head", {}, this.title, ...turns, this.#zooms());
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

  /** Sets which probe is looked at, and what is drawn. */
  look({ probe = 0, layers }) {
    this.probe = probe;
    this.layers = layers;
    this.element.dataset.hidden = hiddenOf(layers);
  }

  /** Draws its probe of a frame, with a trail through those of earlier steps. */
  show(frame, past = []) {
    const { info, tensors } = frame;
    const index = Math.min(this.probe, tensors.input.shape[0] - 1);
    const shapes = {
      input: tensors.input.shape.slice(1),
      outputs: info.transformers.map(({ name }) => tensors[`output.${name}`].shape.slice(1)),
    };
    if (JSON.stringify(shapes) !== JSON.stringify(this.shapes)) this.#build(shapes, info);
    this.shown = { frame, index };
    this.#showPictures(frame, index, past);
    this.handles?.show(frame, index);
    this.#showFacts(frame, index);
    this.#point();
    this.element.dataset.step = info.step ?? "";
  }

  #build(shapes, info) {
    this.shapes = shapes;
    const several = shapes.outputs.length > 1;
    this.overlays = shapes.outputs.map((_, place) => new Overlay(document, several ? place + 1 : 0));
    for (const overlay of this.overlays) overlay.fit(...shapes.input);
    this.cells = svg("g", { class: "stn-cells" });
    this.spot = svg("path", { class: "stn-spot" });
    const margin = marginOf(...shapes.input);
    const [height, width] = shapes.input;
    const box = [-margin, -margin, width + 2 * margin, height + 2 * margin].join(" ");
    const sampling = svg("svg", { class: "stn-overlay", viewBox: box, "aria-hidden": "true" });
    sampling.append(this.cells, this.spot);
    this.handles?.build(info.transformers, shapes.input);
    const above = this.handles ? [this.handles.element] : [];
    this.input.lay(...this.overlays.map((overlay) => overlay.element), sampling, ...above);
    this.panes = shapes.outputs.map((shape, place) => this.#outputPane(shape, place, several));
    this.pictures.replaceChildren(this.input.element, ...this.panes.map((pane) => pane.element));
    this.thetas = info.transformers.map((_, place) => new Theta(several ? place + 1 : 0));
    const head = this.facts.firstElementChild;
    const told = this.thetas.map((theta) => theta.element);
    const controls = this.controls ? [this.controls] : [];
    this.facts.replaceChildren(head, ...controls, this.classes.element, ...told, this.sampled);
    this.pixel = null;
    this.#fit();
  }

  #outputPane([rows, columns], place, several) {
    const pane = new Pane(several ? `Output ${place + 1}` : "Output");
    const mark = svg("rect", { class: "stn-pixel", width: 1, height: 1 });
    const over = svg("svg", {
      class: "stn-overlay",
      viewBox: `0 0 ${columns} ${rows}`,
      "aria-hidden": "true",
    });
    over.append(mark);
    pane.lay(over);
    pane.mark = mark;
    const tile = pane.tile;
    tile.tabIndex = 0;
    tile.setAttribute("aria-label", `${pane.name}: arrows choose a pixel`);
    tile.onpointermove = (event) => {
      const { left, top, width, height } = tile.getBoundingClientRect();
      const column = Math.floor(((event.clientX - left) / width) * columns);
      const row = Math.floor(((event.clientY - top) / height) * rows);
      this.#pointAt({ place, row: within(row, rows), column: within(column, columns) });
    };
    tile.onpointerdown = tile.onpointermove;
    tile.onkeydown = (event) => this.#pointByKey(event, place, [rows, columns]);
    return pane;
  }

  #pointByKey(event, place, [rows, columns]) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (event.key === "Escape") this.#pointAt(null);
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const middle = { row: rows >> 1, column: columns >> 1 };
    const { row, column } = this.pixel?.place === place ? this.pixel : middle;
    this.#pointAt({
      place,
      row: within(row + move[0], rows),
      column: within(column + move[1], columns),
    });
    this.#centre();
  }

  // Of what is enlarged beyond its room, shows the pixel that is pointed at, else the middle.
  #centre() {
    if (this.zoom === 1 || !this.shown) return;
    const { frame, index } = this.shown;
    const [height, width] = this.shapes.input;
    const margin = marginOf(height, width);
    const pixel = this.pixel ?? { place: 0, row: -1 };
    frame.info.transformers.forEach(({ name }, place) => {
      const lattice = rowOf(frame.tensors[`grid.${name}`], index);
      const [rows, columns] = this.shapes.outputs[place];
      const here = pixel.place === place && pixel.row >= 0;
      const { row, column } = here ? pixel : { row: (rows - 1) / 2, column: (columns - 1) / 2 };
      this.panes[place].centre((column + 0.5) / columns, (row + 0.5) / rows);
      if (place !== pixel.place) return;
      const { x, y } = sampleOf(lattice, { row, column }, [rows, columns]);
      this.input.centre((x + margin) / (width + 2 * margin), (y + margin) / (height + 2 * margin));
    });
    if (!this.panes.length) this.input.centre(0.5, 0.5);
  }

  #pointAt(pixel) {
    this.pixel = pixel;
    this.#point();
  }

  // Marks the pixel of the output that is pointed at, and where it is sampled in the input.
  #point() {
    const { pixel } = this;
    this.panes.forEach((pane, place) => {
      const here = pixel?.place === place;
      pane.mark.toggleAttribute("hidden", !here);
      if (here) attributes(pane.mark, { x: pixel.column, y: pixel.row });
    });
    this.cells.replaceChildren();
    this.spot.setAttribute("d", "");
    if (!pixel || !this.shown) {
      setText(this.sampled, this.panes.length ? SAMPLE_HINT : "");
      return;
    }
    const { info, tensors } = this.shown.frame;
    const { name } = info.transformers[pixel.place];
    const lattice = rowOf(tensors[`grid.${name}`], this.shown.index);
    const sample = sampleOf(lattice, pixel, this.shapes.outputs[pixel.place]);
    const cells = sample.around.map(({ row, column, weight }) =>
      svg("rect", { x: column, y: row, width: 1, height: 1, "fill-opacity": 0.15 + 0.7 * weight }),
    );
    this.cells.replaceChildren(...cells);
    this.spot.setAttribute("d", `M${sample.x.toFixed(2)},${sample.y.toFixed(2)}h0`);
    setText(this.sampled, sampleWords(sample, pixel, this.shapes.input));
  }

  #showPictures(frame, index, past) {
    const { info, tensors } = frame;
    const { layers } = this;
    if (layers.undone) {
      const { data, shape } = undoneOf(frame, index);
      this.input.picture.show(data, shape);
    } else this.input.picture.show(rowOf(tensors.input, index), this.shapes.input);
    info.transformers.forEach((transformer, place) => {
      const { name } = transformer;
      this.panes[place].picture.show(rowOf(tensors[`output.${name}`], index), this.shapes.outputs[place]);
      this.overlays[place].show(...regionOf(frame, transformer, index, layers, past));
    });
  }

  #showFacts(frame, index) {
    const { info, tensors } = frame;
    const count = tensors.input.shape[0];
    const which = count > 1 ? `Probe ${index + 1} of ${count}` : "Your picture";
    const given = givenName(info, index);
    setText(this.title, given ? `${which}: ${given}` : which);
    const verdict = verdictOf(info, index);
    this.verdict.dataset.verdict = verdict;
    const taken = `taken for ${nameOf(info, info.predicted[index])}`;
    const chance = percent(probabilityOf(frame, index), 0);
    const said = { right: ", which is right", wrong: ", which is wrong", unknown: "" }[verdict];
    const collapsed = collapseOf(info, index);
    const later = this.probe > index ? `; probe ${this.probe + 1} joined later` : "";
    const why = collapsed ? `; ${collapsed.full}` : "";
    setText(this.verdict, `${taken} (${chance})${said}${why}${later}`);
    this.#showClasses(frame, index);
    info.transformers.forEach((transformer, place) => {
      const [theta, lattice] = ["theta", "grid"].map((kind) =>
        rowOf(tensors[`${kind}.${transformer.name}`], index),
      );
      const output = this.shapes.outputs[place];
      this.thetas[place].show(transformer, theta, lattice, output, this.shapes.input);
    });
  }

  // Of a row of labels there is no one distribution to show.
  #showClasses({ info, tensors }, index) {
    const [, ...shape] = tensors.probabilities.shape;
    this.classes.element.hidden = shape.length > 1;
    if (shape.length > 1) return;
    const chances = [...rowOf(tensors.probabilities, index)];
    const most = this.thetas.length > 1 ? 4 : undefined;
    this.classes.show(chances, info.classes, info.predicted[index], most);
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
    this.facts.style.maxHeight = stacked ? "" : `${height}px`;
    const across = stacked ? width : width - FACTS - 2 * GAP;
    const { input, outputs } = this.shapes;
    const margin = marginOf(...input);
    const [rows, columns] = [input[0] + 2 * margin, input[1] + 2 * margin];
    const room = { width: across, height: stacked ? 0.5 * innerHeight : height - CAPTION };
    const { scale, sizes } = panesWithin(room, [rows, columns], outputs, devicePixelRatio);
    this.input.size(scale * columns, scale * rows, this.zoom, { margin: scale * margin });
    this.panes.forEach((pane, place) => {
      const [high, wide] = sizes[place];
      pane.size(wide, high, this.zoom);
    });
  }
}

const SAMPLE_HINT = "Point at a pixel of the output to see where it is sampled.";

function sampleWords({ x, y, around }, { row, column }, [height, width]) {
  const inside = x >= 0 && x <= width && y >= 0 && y <= height;
  const shares = around.map(({ weight }) => percent(weight, 0)).join(", ");
  return (
    `Output pixel ${column}, ${row} is sampled at ${x.toFixed(1)}, ${y.toFixed(1)}` +
    (inside ? `: ${shares} of the four pixels around.` : ", outside the image.")
  );
}

const within = (index, size) => Math.min(size - 1, Math.max(0, index));

function svg(name, values) {
  return attributes(document.createElementNS(SVG, name), values);
}

function attributes(target, values) {
  for (const [name, value] of Object.entries(values)) target.setAttribute(name, value);
  return target;
}
