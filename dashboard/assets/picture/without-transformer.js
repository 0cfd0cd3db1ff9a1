// The prediction for the same picture by the network without a transformer for the same data.

import { ClassBars } from "../stage/class-bars.js";
import { element, setText } from "../ui/dom.js";
import { labelName, verdictOf } from "../ui/frame-text.js";
import { percent } from "../ui/number-text.js";
import { predictedProbability } from "../stage/probe-layers.js";
import { rowOf } from "../protocol/frame.js";

/** @import { Frame } from "../protocol/types.js" */

const MAX_CLASSES = 3;

export class WithoutTransformer {
  constructor() {
    this.verdict = element("p.stn-detail-verdict");
    this.classes = new ClassBars();
    const heading = element("h3.stn-tab-heading", {}, "Without a transformer");
    this.element = element(
      "section.stn-without",
      { hidden: true, aria: { label: "Without a transformer" } },
      heading,
      this.verdict,
      this.classes.element,
    );
  }

  /** Show nothing: there is no such network. */
  clear() {
    this.element.hidden = true;
  }

  /**
   * @param {Frame} frame of the network without a transformer
   * @param {Frame} compared of the one with transformers
   */
  draw(frame, compared) {
    const { info, tensors } = frame;
    const predicted = info.predicted[0];
    if (Array.isArray(predicted) || !tensors.probabilities) return this.clear();
    this.element.hidden = false;
    const isEqual = predicted === compared.info.predicted[0];
    const probability = percent(predictedProbability(frame, 0), 0);
    const text = `classified as ${labelName(info, predicted)} (${probability})`;
    const verdict = verdictOf(info, 0);
    const known = verdict === "unknown" ? "" : `, which is ${verdict}`;
    setText(this.verdict, `${text}${known}${isEqual ? ", as with a transformer" : ""}`);
    this.verdict.dataset.verdict = verdict;
    const probabilities = [...rowOf(tensors.probabilities, 0)];
    this.classes.update(probabilities, info.classes, predicted, MAX_CLASSES);
  }
}
