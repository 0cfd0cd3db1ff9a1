// One probe on the stage: its input under an overlay, its outputs, and what it is taken for.

import { element, icon, ICONS, setText } from "../ui/dom.js";
import { PixelImage } from "./canvas.js";
import { inverseWarpOf, probabilityOf, regionOf } from "./probe-layers.js";
import { rowOf } from "../protocol/frame.js";
import { RegionOverlay } from "./region-overlay.js";
import {
  describeProbe,
  labelName,
  percent,
  probeCaption,
  probeCollapse,
  verdictOf,
} from "../ui/text.js";

export class ProbeTile {
  /** @param {{input: number[], outputs: number[][]}} shapes rows, columns, channels of each */
  constructor({ input, outputs }) {
    this.input = new PixelImage(document);
    // Told apart by number where there are several, so that one alone stays white.
    const places = outputs.map((_, place) => (outputs.length > 1 ? place + 1 : 0));
    this.overlays = places.map((place) => new RegionOverlay(document, place));
    this.places = places;
    this.outputs = outputs.map(() => new PixelImage(document));
    for (const overlay of this.overlays) overlay.fit(input[0], input[1]);
    this.note = element("span.stn-note");
    this.name = element("span.stn-label");
    this.mark = element("span.stn-mark");
    this.predicted = element("span.stn-predicted");
    this.probability = element("span.stn-probability");
    this.element = element("figure.stn-probe", { role: "img", tabIndex: -1 }, ...this.#parts());
  }

  #parts() {
    const overlays = this.overlays.map((overlay) => overlay.element);
    return [
      element("div.stn-tile.stn-input", {}, this.input.element, ...overlays),
      ...(this.outputs.length ? [element("div.stn-outputs", {}, ...this.#outputTiles())] : []),
      element(
        "figcaption.stn-captions",
        { aria: { hidden: "true" } },
        element("span.stn-given", {}, this.name, this.note),
        element("span.stn-verdict", {}, this.mark, this.predicted, this.probability),
      ),
    ];
  }

  #outputTiles() {
    return this.outputs.map((output, index) => {
      const place = this.places[index];
      const tile = element("div.stn-tile.stn-output", {}, output.element);
      if (place) {
        tile.append(
          element("span.stn-transformer-number", { data: { transformer: place } }, String(place)),
        );
      }
      return tile;
    });
  }

  /**
   * Draws its probe of a frame.
   * @param {object} layers which are drawn, by name
   * @param {object[]} past frames of earlier steps that a trail leads through
   */
  draw(frame, index, layers, past) {
    const { info, tensors } = frame;
    this.#showInput(frame, index, layers.inverse);
    info.transformers.forEach((transformer, place) => {
      const output = tensors[`output.${transformer.name}`];
      this.outputs[place].draw(rowOf(output, index), output.shape.slice(1));
      this.overlays[place].draw(...regionOf(frame, transformer, index, layers, past));
    });
    this.#caption(info, index, probabilityOf(frame, index));
  }

  #showInput(frame, index, undone) {
    const { input } = frame.tensors;
    if (undone) {
      const { data, shape } = inverseWarpOf(frame, index);
      this.input.draw(data, shape);
    } else if (input !== this.shownInput) {
      this.input.draw(rowOf(input, index), input.shape.slice(1));
    }
    this.shownInput = undone ? null : input;
  }

  #caption(info, index, probability) {
    const predicted = labelName(info, info.predicted[index]);
    setText(this.name, probeCaption(info, index));
    setText(this.predicted, predicted);
    setText(this.probability, percent(probability, 0));
    const verdict = verdictOf(info, index);
    if (this.element.dataset.verdict !== verdict) {
      this.element.dataset.verdict = verdict;
      this.mark.replaceChildren(...(ICONS[verdict] ? [icon(ICONS[verdict])] : []));
    }
    setText(this.note, probeCollapse(info, index)?.short ?? "");
  }

  /** Says in words what is seen, for those who do not see it. */
  describe(frame, index) {
    const sentence = describeProbe(frame.info, index, probabilityOf(frame, index));
    this.element.setAttribute("aria-label", sentence);
    this.element.title = sentence;
  }
}
