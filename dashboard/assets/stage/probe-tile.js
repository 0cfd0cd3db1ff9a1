// One probe in the grid: its input under an overlay, its outputs, and its predicted class.

import { rowOf } from "../protocol/frame.js";
import { element, icon, ICONS, setText } from "../ui/dom.js";
import {
  describeProbe,
  labelName,
  probeCaption,
  probeCollapse,
  verdictOf,
} from "../ui/frame-text.js";
import { percent } from "../ui/number-text.js";
import { PixelImage } from "./canvas.js";
import { predictedProbability, probeInverseWarp, regionParts } from "./probe-layers.js";
import { RegionOverlay } from "./region-overlay.js";

/** @import { Frame, FrameInfo, Tensor } from "../protocol/types.js" */
/** @import { Layers } from "../ui/view-state.js" */

export class ProbeTile {
  /** @param {{input: number[], outputs: number[][]}} shapes height, width and channels of each */
  constructor({ input, outputs }) {
    this.input = new PixelImage();
    // Numbered only where there are several, so that the dots of a single one stay white.
    this.numbers = outputs.map((_, index) => (outputs.length > 1 ? index + 1 : 0));
    this.overlays = this.numbers.map((number) => new RegionOverlay(number));
    this.outputs = outputs.map(() => new PixelImage());
    for (const overlay of this.overlays) overlay.fit(input[0], input[1]);
    this.note = element("span.stn-collapse-note");
    this.label = element("span.stn-label");
    this.mark = element("span.stn-verdict-icon");
    this.predicted = element("span.stn-predicted");
    this.probability = element("span.stn-probability");
    this.element = element("figure.stn-probe", { role: "img", tabIndex: -1 }, ...this.#parts());
    /** @type {Tensor | null} */
    this.drawnInput = null;
  }

  #parts() {
    const overlays = this.overlays.map((overlay) => overlay.element);
    return [
      element("div.stn-tile.stn-input", {}, this.input.element, ...overlays),
      ...(this.outputs.length ? [element("div.stn-outputs", {}, ...this.#outputTiles())] : []),
      element(
        "figcaption.stn-captions",
        { aria: { hidden: "true" } },
        element("span.stn-caption-label", {}, this.label, this.note),
        element("span.stn-verdict", {}, this.mark, this.predicted, this.probability),
      ),
    ];
  }

  #outputTiles() {
    return this.outputs.map((output, index) => {
      const tile = element("div.stn-tile.stn-output", {}, output.element);
      const number = this.numbers[index];
      if (number) {
        const data = { transformer: number };
        tile.append(element("span.stn-transformer-number", { data }, String(number)));
      }
      return tile;
    });
  }

  /**
   * Draw a probe of a frame.
   * @param {Frame} frame
   * @param {number} index of the probe
   * @param {Layers} layers
   * @param {Frame[]} trail frames of earlier steps that the trail runs through
   */
  draw(frame, index, layers, trail) {
    const { info, tensors } = frame;
    this.#drawInput(frame, index, layers.inverse);
    info.transformers.forEach((transformer, position) => {
      const output = tensors[`output.${transformer.name}`];
      this.outputs[position].draw(rowOf(output, index), output.shape.slice(1));
      this.overlays[position].draw(regionParts(frame, transformer, index, layers, trail));
    });
    this.#updateCaption(info, index, predictedProbability(frame, index));
  }

  /**
   * Draw the input, where it has changed since it was last drawn.
   * @param {Frame} frame
   * @param {number} index
   * @param {boolean} isInverse whether the outputs are pasted back
   */
  #drawInput(frame, index, isInverse) {
    const { input } = frame.tensors;
    if (isInverse) {
      const { data, shape } = probeInverseWarp(frame, index);
      this.input.draw(data, shape);
    } else if (input !== this.drawnInput) {
      this.input.draw(rowOf(input, index), input.shape.slice(1));
    }
    this.drawnInput = isInverse ? null : input;
  }

  /**
   * @param {FrameInfo} info
   * @param {number} index
   * @param {number | null} probability
   */
  #updateCaption(info, index, probability) {
    setText(this.label, probeCaption(info, index));
    setText(this.predicted, labelName(info, info.predicted[index]) ?? "");
    setText(this.probability, probability === null ? "" : percent(probability, 0));
    const verdict = verdictOf(info, index);
    if (this.element.dataset.verdict !== verdict) {
      this.element.dataset.verdict = verdict;
      const path = verdict === "unknown" ? null : ICONS[verdict];
      this.mark.replaceChildren(...(path ? [icon(path)] : []));
    }
    setText(this.note, probeCollapse(info, index)?.short ?? "");
  }

  /**
   * Describe the probe in words, as tooltip and for screen readers.
   * @param {Frame} frame
   * @param {number} index
   */
  describe(frame, index) {
    const description = describeProbe(frame.info, index, predictedProbability(frame, index));
    this.element.setAttribute("aria-label", description);
    this.element.title = description;
  }
}
