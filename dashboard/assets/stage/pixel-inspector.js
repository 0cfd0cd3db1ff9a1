// The pixel of an output that is pointed at, marked there and where it is sampled in the input.

import { element, setAttributes, setText, svgElement } from "../ui/dom.js";
import { inputViewBox } from "../geometry/input-margin.js";
import { rowOf } from "../protocol/frame.js";
import { bilinearSample } from "../geometry/bilinear-sample.js";
import { percent } from "../ui/text.js";

const HINT = "Point at a pixel of the output to see where it is sampled.";
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class PixelInspector {
  /** @param {() => void} moved called when a key has moved to another pixel */
  constructor(moved) {
    this.moved = moved;
    this.pixel = null; // that is pointed at: {place, row, column}
    this.words = element("p.stn-sample-text");
    this.cells = svgElement("g", { class: "stn-cells" });
    this.spot = svgElement("path", { class: "stn-sample-point" });
    this.marks = [];
  }

  /**
   * Begins anew with a picture's panes.
   * @param {Pane[]} panes of the outputs
   * @param {{input: number[], outputs: number[][]}} shapes heights, widths and channels
   */
  build(panes, { input, outputs }) {
    this.pixel = null;
    this.shapes = { input, outputs };
    const [height, width] = input;
    const viewBox = inputViewBox(height, width);
    this.element = svgElement("svg", { class: "stn-overlay", viewBox, "aria-hidden": "true" });
    this.element.append(this.cells, this.spot);
    this.marks = panes.map((pane, place) => this.#markOn(pane, place));
  }

  #markOn(pane, place) {
    const [rows, columns] = this.shapes.outputs[place];
    const mark = svgElement("g", { class: "stn-pixel" });
    for (const layer of ["halo", "line"]) {
      mark.append(svgElement("rect", { class: `stn-${layer}`, width: 1, height: 1 }));
    }
    const box = `0 0 ${columns} ${rows}`;
    const over = svgElement("svg", { class: "stn-overlay", viewBox: box, "aria-hidden": "true" });
    over.append(mark);
    pane.lay(over);
    const { tile } = pane;
    tile.tabIndex = 0;
    tile.setAttribute("aria-label", `${pane.name}: arrows choose a pixel`);
    tile.onpointermove = (event) => {
      const { left, top, width, height } = tile.getBoundingClientRect();
      const column = Math.floor(((event.clientX - left) / width) * columns);
      const row = Math.floor(((event.clientY - top) / height) * rows);
      this.#point({ place, row: within(row, rows), column: within(column, columns) });
    };
    tile.onpointerdown = tile.onpointermove;
    tile.onkeydown = (event) => this.#pointByKey(event, place, [rows, columns]);
    return mark;
  }

  #pointByKey(event, place, [rows, columns]) {
    if (event.key === "Escape") this.#point(null);
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const middle = { row: rows >> 1, column: columns >> 1 };
    const { row, column } = this.pixel?.place === place ? this.pixel : middle;
    this.#point({
      place,
      row: within(row + move[0], rows),
      column: within(column + move[1], columns),
    });
    this.moved();
  }

  #point(pixel) {
    this.pixel = pixel;
    this.#mark();
  }

  /** Marks it in one probe of a frame. */
  draw(frame, index) {
    this.shown = { frame, index };
    this.#mark();
  }

  #mark() {
    const { pixel, shown } = this;
    this.marks.forEach((mark, place) => {
      const here = pixel?.place === place;
      mark.toggleAttribute("hidden", !here);
      if (here) setAttributes(mark, { transform: `translate(${pixel.column} ${pixel.row})` });
    });
    this.cells.replaceChildren();
    this.spot.setAttribute("d", "");
    if (!pixel || !shown) {
      setText(this.words, this.marks.length ? HINT : "");
      return;
    }
    const { info, tensors } = shown.frame;
    const { name } = info.transformers[pixel.place];
    const lattice = rowOf(tensors[`grid.${name}`], shown.index);
    const sample = bilinearSample(lattice, pixel, this.shapes.outputs[pixel.place]);
    const cells = sample.around.map(({ row, column, weight }) =>
      svgElement("rect", {
        x: column,
        y: row,
        width: 1,
        height: 1,
        "fill-opacity": 0.15 + 0.7 * weight,
      })
    );
    this.cells.replaceChildren(...cells);
    this.spot.setAttribute("d", `M${sample.x.toFixed(2)},${sample.y.toFixed(2)}h0`);
    setText(this.words, sampleWords(sample, pixel, this.shapes.input));
  }
}

function sampleWords({ x, y, around }, { row, column }, [height, width]) {
  const inside = x >= 0 && x <= width && y >= 0 && y <= height;
  const shares = around.map(({ weight }) => percent(weight, 0)).join(", ");
  return (
    `Output pixel ${column}, ${row} is sampled at ${x.toFixed(1)}, ${y.toFixed(1)}` +
    (inside ? `: ${shares} of the four pixels around.` : ", outside the image.")
  );
}

const within = (index, size) => Math.min(size - 1, Math.max(0, index));
