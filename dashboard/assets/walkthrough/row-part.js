// A recurrent transformer that reads a row: it samples the same input once at each time step. It shows a run of the
// reader's own or the example, and how to make one.

import { RegionOverlay } from "../stage/region-overlay.js";
import { ImagePane } from "../stage/image-pane.js";
import { rowOf } from "../protocol/frame.js";
import { element, setText } from "../ui/dom.js";
import { labelName } from "../ui/frame-text.js";
import { RecordedFrames } from "./recorded-frames.js";
import { drawImage, drawWithMargin } from "./region-pane.js";
import { tabLink } from "../ui/tab-link.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame, Run } from "../protocol/types.js" */

const EXPLANATION =
  "A recurrent localisation network samples several times, once at each time step: each time has a θ of its own " +
  "for the same input, and the hidden state passes what was sampled to the next.";
// How many of the newest runs with several transformers are searched.
const MAX_SEARCHED = 6;
// Interval between searches for one.
const SEARCH_MILLISECONDS = 5000;

export class RowPart {
  /**
   * @param {Api} api
   * @param {() => void} onChange called after a choice
   */
  constructor(api, onChange) {
    this.api = api;
    this.searchedAt = 0; // in milliseconds since 1970
    this.frames = new RecordedFrames(api, onChange);
    this.input = new ImagePane("Input, with the region of each time step");
    /** @type {RegionOverlay[]} */
    this.overlays = [];
    /** @type {ImagePane[]} */
    this.outputs = [];
    this.looks = element("div.stn-row-looks");
    this.sentence = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    this.stage = element(
      "div.stn-row-stage",
      { hidden: true },
      element("div.stn-walkthrough-pane", {}, this.input.element),
      this.looks,
      this.frames.element,
    );
    this.element = element(
      "div.stn-row-part",
      {},
      element("p.stn-walkthrough-sentence.stn-grid-sentence", {}, EXPLANATION),
      this.stage,
      this.sentence,
      element(
        "p.stn-walkthrough-sentence.stn-row-how",
        {},
        "To see one learn it, start the preset Three digits in a row in ",
        tabLink("new", "New run"),
        ": three digits on a slanted line, three time steps. Its recording then appears here.",
      ),
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
    if (!this.frames.frame && Date.now() - this.searchedAt > SEARCH_MILLISECONDS) {
      this.searchedAt = Date.now();
      this.#open();
    }
    const { frame, probe } = this.frames;
    if (frame) this.#drawFrame(frame, probe);
  }

  async #open() {
    try {
      const id = await this.#find();
      if (id === null) {
        setText(this.sentence, "No run here reads a row yet.");
      } else {
        await this.frames.open(id);
      }
    } catch (problem) {
      setText(this.sentence, /** @type {Error} */ (problem).message);
    }
  }

  /** Return the newest run of a recurrent network, or an example; null if there is none. */
  async #find() {
    const [runs, examples] = await Promise.all([this.api.runs(), this.api.examples()]);
    const several = runs.filter(hasSeveral).slice(0, MAX_SEARCHED);
    several.push(...examples.map(({ run }) => run).filter(hasSeveral));
    for (const { id } of several) {
      const { info } = await this.api.frame(id, 0, {});
      if (info.transformers.every(({ time_step: time }) => time)) return id;
    }
    return null;
  }

  /**
   * @param {Frame} frame
   * @param {number} probe
   */
  #drawFrame({ info, tensors }, probe) {
    const { transformers } = info;
    if (this.overlays.length !== transformers.length) this.#build(transformers.length);
    this.stage.hidden = false;
    const [height, width, channels] = tensors.input.shape.slice(1);
    const data = rowOf(tensors.input, probe);
    drawWithMargin(this.input, { data, shape: [height, width, channels] });
    transformers.forEach(({ name }, index) => {
      this.overlays[index].fit(height, width);
      const lattice = rowOf(tensors[`grid.${name}`], probe);
      this.overlays[index].draw({ lattice, mesh: false, controlPoints: [], trail: [] });
      const output = tensors[`output.${name}`];
      const shape = output.shape.slice(1);
      drawImage(this.outputs[index], { data: rowOf(output, probe), shape });
    });
    const [label, read] = [info.labels, info.predicted].map((each) => labelName(info, each[probe]));
    setText(this.sentence, `The row is ${label ?? "not labelled"}; the network reads ${read}.`);
  }

  /** @param {number} count of time steps */
  #build(count) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.overlays = numbers.map((number) => new RegionOverlay(number));
    this.outputs = numbers.map((number) => new ImagePane(`Output of time step ${number}`));
    this.input.setOverlays(...this.overlays.map((overlay) => overlay.element));
    this.looks.replaceChildren(
      ...this.outputs.map((pane) => element("div.stn-walkthrough-pane", {}, pane.element)),
    );
  }
}

/** @param {Run} run */
const hasSeveral = ({ transformers, frames }) => (transformers ?? 0) > 1 && frames > 0;
