// Two transformers one after the other, from an example's recording: the second one's input is the first one's
// output.

import { RegionOverlay } from "../stage/region-overlay.js";
import { ImagePane } from "../stage/image-pane.js";
import { rowOf } from "../protocol/frame.js";
import { regionSentence } from "../stage/theta-text.js";
import { element, setText } from "../ui/dom.js";
import { labelName } from "../ui/frame-text.js";
import { RecordedFrames } from "./recorded-frames.js";
import { drawWithMargin, regionLattice } from "./region-pane.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { SampledImage } from "../geometry/grid-sampler.js" */

const TITLES = [
  "Input, with region 1",
  "Output 1, which is the second one's input, with region 2",
  "Output 2, the classifier's input",
];

export class SeriesPart {
  /**
   * @param {Api} api
   * @param {() => void} onChange called after a choice
   */
  constructor(api, onChange) {
    this.api = api;
    this.isRequested = false;
    this.frames = new RecordedFrames(api, onChange);
    this.panes = TITLES.map((title) => new ImagePane(title));
    this.overlays = [1, 2].map((number) => new RegionOverlay(number));
    this.overlays.forEach((overlay, index) => this.panes[index].setOverlays(overlay.element));
    this.sentence = element("p.stn-walkthrough-sentence.stn-grid-sentence", {
      aria: { live: "polite" },
    });
    this.element = element(
      "div.stn-grid-forward",
      {},
      ...this.panes.map((pane) => element("div.stn-walkthrough-pane", {}, pane.element)),
      this.frames.element,
      this.sentence,
    );
  }

  query() {
    return this.frames.query();
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    this.frames.restore(query);
  }

  draw() {
    if (!this.isRequested) {
      this.isRequested = true;
      this.#open();
    }
    const { frame, probe } = this.frames;
    if (frame) this.#drawFrame(frame, probe);
  }

  async #open() {
    try {
      const examples = await this.api.examples();
      const example = examples.find(({ run }) => (run.transformers ?? 0) > 1);
      if (example) await this.frames.open(example.run.id);
      else setText(this.sentence, "No example has several transformers.");
    } catch (problem) {
      this.isRequested = false;
      setText(this.sentence, /** @type {Error} */ (problem).message);
    }
  }

  /**
   * @param {Frame} frame
   * @param {number} probe
   */
  #drawFrame({ info, tensors }, probe) {
    const [first, second] = info.transformers.map(({ name }) => name);
    const images = ["input", `output.${first}`, `output.${second}`].map((
      name,
    ) => /** @type {SampledImage} */ ({
      data: rowOf(tensors[name], probe),
      shape: tensors[name].shape.slice(1),
    }));
    images.forEach((image, index) => drawWithMargin(this.panes[index], image));
    const sentences = [first, second].map((name, index) => {
      const size = images[index].shape.slice(0, 2);
      const lattice = regionLattice(rowOf(tensors[`theta.${name}`], probe), size);
      this.overlays[index].fit(size[0], size[1]);
      this.overlays[index].draw({ lattice, mesh: false, controlPoints: [], trail: [] });
      return regionSentence(lattice, size).replace("The region", `region ${index + 1}`);
    });
    const predicted = labelName(info, info.predicted[probe]);
    setText(
      this.sentence,
      "The second region lies in the first one's output, and corrects what the first one left. " +
        `Now ${sentences[0]} In output 1, ${sentences[1]} ` +
        (predicted === null ? "" : `The classifier predicts ${predicted}.`),
    );
  }
}
