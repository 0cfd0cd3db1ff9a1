// The output pixel under the pointer, marked on the output, and where it is sampled in the input.

import { bilinearSample } from "../geometry/bilinear-sample.js";
import { inputViewBox } from "../geometry/input-margin.js";
import { rowOf } from "../protocol/frame.js";
import { element, setAttributes, setText, svgElement } from "../ui/dom.js";
import { percent } from "../ui/number-text.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { ImagePane } from "./image-pane.js" */

/** @typedef {{output: number, row: number, column: number}} OutputPixel `output` is an index */

const HINT = "Point at a pixel of the output to see where it is sampled.";
/** @type {Object<string, [row: number, column: number]>} */
const PIXEL_OFFSETS = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

export class PixelInspector {
  /** @param {() => void} onMove called after a key has moved to another pixel */
  constructor(onMove) {
    this.onMove = onMove;
    /** @type {OutputPixel | null} */
    this.pixel = null;
    this.text = element("p.stn-sample-text");
    this.cells = svgElement("g", { class: "stn-cells" });
    this.point = svgElement("path", { class: "stn-sample-point" });
    this.element = svgElement("svg", { class: "stn-overlay", "aria-hidden": "true" });
    this.element.append(this.cells, this.point);
    /** @type {Element[]} */
    this.marks = []; // one for each output
    /** @type {{input: number[], outputs: number[][]}} */
    this.shapes = { input: [], outputs: [] };
    /** @type {{frame: Frame, index: number} | null} */
    this.drawn = null;
  }

  /**
   * Attach to the panes of a probe's outputs.
   * @param {ImagePane[]} panes
   * @param {{input: number[], outputs: number[][]}} shapes height, width and channels
   */
  build(panes, { input, outputs }) {
    this.pixel = null;
    this.shapes = { input, outputs };
    const [height, width] = input;
    this.element.setAttribute("viewBox", inputViewBox(height, width));
    this.marks = panes.map((pane, index) => this.#attach(pane, index));
  }

  /**
   * @param {ImagePane} pane
   * @param {number} output its index
   */
  #attach(pane, output) {
    const [rows, columns] = this.shapes.outputs[output];
    const mark = svgElement("g", { class: "stn-pixel" });
    for (const layer of ["halo", "line"]) {
      mark.append(svgElement("rect", { class: `stn-${layer}`, width: 1, height: 1 }));
    }
    const viewBox = `0 0 ${columns} ${rows}`;
    const overlay = svgElement("svg", { class: "stn-overlay", viewBox, "aria-hidden": "true" });
    overlay.append(mark);
    pane.setOverlays(overlay);
    const { content } = pane;
    content.tabIndex = 0;
    content.setAttribute("role", "group");
    content.setAttribute("aria-label", `${pane.title}: arrow keys choose a pixel`);
    content.onpointermove = content.onpointerdown = (event) => {
      const { left, top, width, height } = content.getBoundingClientRect();
      const column = Math.floor(((event.clientX - left) / width) * columns);
      const row = Math.floor(((event.clientY - top) / height) * rows);
      this.#inspect({ output, row: clamp(row, rows), column: clamp(column, columns) });
    };
    content.onkeydown = (event) => this.#handleKey(event, output, [rows, columns]);
    return mark;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} output
   * @param {number[]} shape
   */
  #handleKey(event, output, [rows, columns]) {
    if (event.key === "Escape") this.#inspect(null);
    const offset = PIXEL_OFFSETS[event.key];
    if (!offset) return;
    event.preventDefault();
    event.stopPropagation();
    const centre = { row: rows >> 1, column: columns >> 1 };
    const { row, column } = this.pixel?.output === output ? this.pixel : centre;
    this.#inspect({
      output,
      row: clamp(row + offset[0], rows),
      column: clamp(column + offset[1], columns),
    });
    this.onMove();
  }

  /** @param {OutputPixel | null} pixel */
  #inspect(pixel) {
    this.pixel = pixel;
    this.#drawMarks();
  }

  /**
   * Draw the marks for one probe of a frame.
   * @param {Frame} frame
   * @param {number} index of the probe
   */
  draw(frame, index) {
    this.drawn = { frame, index };
    this.#drawMarks();
  }

  #drawMarks() {
    const { pixel, drawn } = this;
    this.marks.forEach((mark, output) => {
      const isInspected = pixel?.output === output;
      mark.toggleAttribute("hidden", !isInspected);
      if (isInspected) {
        setAttributes(mark, { transform: `translate(${pixel.column} ${pixel.row})` });
      }
    });
    this.cells.replaceChildren();
    this.point.setAttribute("d", "");
    if (!pixel || !drawn) {
      setText(this.text, this.marks.length ? HINT : "");
      return;
    }
    const { info, tensors } = drawn.frame;
    const { name } = info.transformers[pixel.output];
    const lattice = rowOf(tensors[`grid.${name}`], drawn.index);
    const sample = bilinearSample(lattice, pixel, this.shapes.outputs[pixel.output]);
    const cells = sample.neighbours.map(({ row, column, weight }) =>
      svgElement("rect", {
        x: column,
        y: row,
        width: 1,
        height: 1,
        "fill-opacity": 0.15 + 0.7 * weight,
      })
    );
    this.cells.replaceChildren(...cells);
    this.point.setAttribute("d", `M${sample.x.toFixed(2)},${sample.y.toFixed(2)}h0`);
    setText(this.text, sampleText(sample, pixel, this.shapes.input));
  }
}

/**
 * @param {ReturnType<typeof bilinearSample>} sample
 * @param {OutputPixel} pixel
 * @param {number[]} input its shape
 */
function sampleText({ x, y, neighbours }, { row, column }, [height, width]) {
  const isInside = x >= 0 && x <= width && y >= 0 && y <= height;
  const weights = neighbours.map(({ weight }) => percent(weight, 0)).join(", ");
  return (
    `Output pixel ${column}, ${row} is sampled at ${x.toFixed(1)}, ${y.toFixed(1)}` +
    (isInside ? `: ${weights} of the four pixels around.` : ", outside the image.")
  );
}

/**
 * @param {number} index
 * @param {number} size
 */
const clamp = (index, size) => Math.min(size - 1, Math.max(0, index));
