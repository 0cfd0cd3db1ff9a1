// The stage: a pair of tiles for each probe, input and output, with what it is taken for.

import { element } from "../ui/dom.js";
import { inputMargin } from "../geometry/input-margin.js";
import { StageCanvas } from "./canvas.js";
import { hiddenLayers } from "./probe-layers.js";
import { ProbeTile } from "./probe-tile.js";
import { columnWidths, fitTiles, wholePixelScale, wholePixelSize } from "./tile-layout.js";
import { LAYERS } from "../ui/view-state.js";

// CSS pixels, as in styles/stage.css: between pairs, below a pair's tiles, between its tiles.
const GAP = 10;
const CAPTION = 24;
const BETWEEN = 4;
// Outputs of several transformers stand below each other, so that a pair stays a pair.
const rowsOf = (outputs) => Math.min(2, outputs.length);
const columnsOf = (outputs) => Math.ceil(outputs.length / 2);
// Before the first frame room is kept for this many probes of these sizes.
const EXPECTED = { count: 12, input: [48, 48, 1], outputs: [[28, 28, 1]] };
// Words for those who do not see the pictures; no more often than can be listened to.
const DESCRIBE_EVERY = 2000;

export class ProbeGrid {
  /**
   * @param {{pick?: (probe: number, byKey?: boolean) => void}} on `pick` is called with a probe that
   *   was chosen
   * @param {object} expected what room is kept for until the first frame is there
   */
  constructor({ pick } = {}, expected = {}) {
    this.element = element("div.stn-probes", { aria: { label: "Probes" }, role: "group" });
    this.surface = new StageCanvas(document);
    this.pick = pick;
    new ResizeObserver(() => this.#lay()).observe(this.element);
    this.layers = LAYERS;
    this.#build({ ...EXPECTED, ...expected });
  }

  /** Sets what is drawn from now on. */
  setView({ layers }) {
    const before = this.layers;
    this.layers = layers;
    this.element.dataset.hidden = hiddenLayers(layers);
    if (before.outputs !== layers.outputs) this.#fit();
  }

  /** Puts the focus on one of its pairs. */
  focus(probe) {
    this.pairs[Math.min(probe, this.pairs.length - 1)].element.focus({ preventScroll: true });
  }

  /** Keeps room for so many pairs, though some are not there in all frames. */
  reserve(count) {
    if (count === this.reserved) return;
    this.reserved = count;
    this.#fit();
    this.partner?.refit();
  }

  /** Lays pairs out as those of another stage beside it, so that equal probes stand at equal places. */
  alignWith(partner) {
    if (partner === this.partner) return;
    this.partner = partner;
    this.#fit();
  }

  /** How many pairs there is room for. */
  get count() {
    return Math.max(this.shapes.count, this.reserved ?? 0);
  }

  /** How high it is in its room when all of each pair is shown, in CSS pixels. */
  get fullHeight() {
    const { columns, pair } = this.#best(false);
    const rows = Math.ceil(this.count / columns);
    return rows * pair.height + (rows - 1) * GAP;
  }

  /** How many pixels high an input is, with the ground around it. */
  get units() {
    const [height, width] = this.shapes.input;
    return height + 2 * inputMargin(height, width);
  }

  /** The scale at which its inputs are as high as those of so many `units` at `scale`, or less. */
  own(scale, units) {
    if (units === this.units) return scale;
    return wholePixelScale((scale * units) / this.units, devicePixelRatio);
  }

  /** The size of a pair, and of all that is in it, at a scale. */
  at(scale, bare) {
    const { input, outputs } = this.shapes;
    const margin = inputMargin(...input);
    const tile = {
      height: scale * (input[0] + 2 * margin),
      width: bare ? 0 : scale * (input[1] + 2 * margin),
      margin: scale * margin,
    };
    const rows = rowsOf(outputs);
    const each = (tile.height - BETWEEN * (rows - 1)) / rows;
    const sizes = outputs.map((shape) => wholePixelSize(each, shape, devicePixelRatio));
    const across = widthOf(sizes);
    const width = bare ? across : tile.width + (across && BETWEEN + across);
    return { width, height: tile.height + CAPTION, tile, outputs: sizes };
  }

  /** Whether nothing but outputs is shown. */
  get #bare() {
    return this.layers.outputs && this.shapes.outputs.length > 0;
  }

  /**
   * Draws a frame. Called within an animation frame; nothing is laid out anew.
   * @param {object[]} past frames of earlier steps, where trails are drawn
   */
  draw(frame, past = []) {
    const shapes = shapesOf(frame);
    if (key(shapes) !== key(this.shapes)) this.#build(shapes);
    this.pairs.forEach((pair, index) => pair.draw(frame, index, this.layers, past));
    this.surface.draw();
    this.element.dataset.step = frame.info.step;
    if (Date.now() - this.described > DESCRIBE_EVERY) {
      this.described = Date.now();
      this.pairs.forEach((pair, index) => pair.describe(frame, index));
    }
  }

  /**
   * Fits the tiles into `width` by `height` CSS pixels; on small screens they may be higher.
   * @param {number} [minHeight] of tiles, as of `fitTiles`
   */
  resize(width, height, minHeight) {
    this.room = { width, height, minHeight };
    this.#fit();
  }

  /** Fits anew: what stands beside it has other sizes now. */
  refit() {
    this.#fit();
  }

  #best(bare) {
    const stages = this.partner ? [this, this.partner] : [this];
    const most = (of) => Math.max(...stages.map(of));
    const units = most((stage) => stage.units);
    const pair = (scale) => {
      const sizes = stages.map((stage) => stage.at(stage.own(scale, units), bare));
      const greatest = (side) => Math.max(...sizes.map((size) => size[side]));
      return { width: greatest("width"), height: greatest("height") };
    };
    const count = most((stage) => stage.count);
    const best = fitTiles({ count, ...this.room, tile: pair, gap: GAP, density: devicePixelRatio });
    return { ...best, scale: this.own(best.scale, units), pair: pair(best.scale) };
  }

  #fit() {
    if (!this.room) return;
    const { columns, scale, pair } = this.#best(this.#bare);
    this.#apply(columns, { ...this.at(scale, this.#bare), row: pair.height - CAPTION });
  }

  #apply(columns, { tile, outputs, row }) {
    const { style } = this.element;
    style.setProperty("--stn-row-height", `${row}px`);
    this.element.classList.toggle("stn-outputs-only", this.#bare);
    style.setProperty("--stn-columns", columns);
    style.removeProperty("--stn-column");
    this.columns = columns;
    style.setProperty("--stn-input-width", `${tile.width}px`);
    style.setProperty("--stn-tile-height", `${tile.height}px`);
    style.setProperty("--stn-margin", `${tile.margin}px`);
    style.setProperty("--stn-outputs", `${widthOf(outputs)}px`);
    style.setProperty("--stn-output-columns", columnsOf(outputs) || 1);
    for (const pair of this.pairs) {
      pair.outputs.forEach((output, place) => {
        output.element.style.height = `${outputs[place].height}px`;
        output.element.style.width = `${outputs[place].width}px`;
      });
    }
    this.#lay();
  }

  #lay() {
    const { clientWidth, style } = this.element;
    if (!clientWidth) return; // is not on the page
    // Columns share all of the width, but begin at whole pixels of the screen.
    const each = (clientWidth - (this.columns - 1) * GAP) / this.columns;
    style.setProperty(
      "--stn-column",
      `${Math.floor(each * devicePixelRatio) / devicePixelRatio}px`,
    );
    const pictures = this.pairs.flatMap((pair) => [
      ...(this.#bare ? [] : [pair.input]),
      ...pair.outputs,
    ]);
    this.surface.layOut(pictures, this.element, devicePixelRatio);
  }

  #build(shapes) {
    this.shapes = shapes;
    this.pairs = Array.from({ length: shapes.count }, () => new ProbeTile(shapes));
    if (this.pick) {
      this.pairs.forEach(({ element }, index) => {
        element.classList.add("stn-clickable");
        Object.assign(element, { role: "button", tabIndex: 0, onclick: () => this.pick(index) });
        element.onkeydown = (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault();
          event.stopPropagation();
          this.pick(index, true);
        };
      });
    }
    this.element.replaceChildren(this.surface.element, ...this.pairs.map((pair) => pair.element));
    this.described = 0;
    this.#fit();
    this.partner?.refit();
  }
}

function shapesOf({ info, tensors }) {
  const [count, ...input] = tensors.input.shape;
  const outputs = info.transformers.map(({ name }) => tensors[`output.${name}`].shape.slice(1));
  return { count, input, outputs };
}

// How wide outputs stand, row by row in so many columns.
function widthOf(outputs) {
  const columns = columnsOf(outputs);
  const widest = columnWidths(outputs.map(({ width }) => width), columns);
  return widest.reduce((sum, width) => sum + width, BETWEEN * Math.max(0, columns - 1));
}

const key = (shapes) => JSON.stringify(shapes);
