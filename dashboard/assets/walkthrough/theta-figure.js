// Theta: sliders in words, the matrix, and the region dragged by its corners. One thing, three ways to hold it.

import { composeAffine, decomposeAffine } from "../geometry/region-geometry.js";
import { MATRIX_2X3, pixelCentres, warpPoints } from "../geometry/theta-grid.js";
import { ImagePane } from "../stage/image-pane.js";
import { regionSentence } from "../stage/theta-text.js";
import { element, setText } from "../ui/dom.js";
import { NextFrame } from "../ui/next-frame.js";
import { TimedChange } from "../ui/timed-change.js";
import { labelName } from "../ui/frame-text.js";
import { percent } from "../ui/number-text.js";
import { PoseSliders } from "./pose-sliders.js";
import { drawOutput, regionLattice, RegionPane } from "./region-pane.js";
import { ThetaMatrix } from "./theta-matrix.js";
import { readTheta, thetaQuery } from "./theta-query.js";

/** @import { AffinePose } from "../geometry/region-geometry.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

/** @type {[title: string, change: (pose: AffinePose) => AffinePose][]} */
const EXAMPLE_CHANGES = [
  ["Half the scale", (pose) => ({ ...pose, scaleX: pose.scaleX / 2, scaleY: pose.scaleY / 2 })],
  ["Quarter turn", (pose) => ({ ...pose, rotation: pose.rotation + Math.PI / 2 })],
];
const IDENTITY = [1, 0, 0, 0, 1, 0];
const MIRRORED = [-1, 0, 0, 0, 1, 0];
// The scale before and after it is halved, for the answer to the question.
const HALVED = [0.6, 0.3];
const ANSWER_MILLISECONDS = 2400;

export class ThetaFigure {
  /** @param {WalkthroughContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.drawing = new NextFrame(() => this.#drawNow());
    /** @param {number[] | null} theta */
    const choose = (theta) => {
      this.answer.stop();
      picture.setTheta(theta);
    };
    this.answer = new TimedChange();
    this.input = new RegionPane(choose);
    this.output = new ImagePane("Output");
    this.matrix = new ThetaMatrix(choose);
    this.sliders = new PoseSliders(choose);
    this.sentence = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    this.verdict = element("p.stn-walkthrough-sentence.stn-walkthrough-reading");
    this.element = element(
      "div.stn-theta-figure",
      {},
      element("div.stn-walkthrough-pane", {}, this.input.element),
      element(
        "div.stn-walkthrough-middle",
        {},
        this.matrix.element,
        this.sentence,
        this.verdict,
        element("div.stn-walkthrough-chips", {}, ...this.#createChips(choose)),
      ),
      element("div.stn-walkthrough-pane", {}, this.output.element),
      this.sliders.element,
    );
    picture.addEventListener("change", () => this.#build());
    picture.addEventListener("theta", () => {
      this.#draw();
      if (this.isShown) this.changed();
    });
    this.#build();
  }

  /** @param {(theta: number[] | null) => void} choose */
  #createChips(choose) {
    /** @type {[string, () => number[] | null][]} */
    const chips = [
      ["The network's θ", () => null],
      ["Identity", () => IDENTITY],
      ["Mirror", () => MIRRORED],
      ...EXAMPLE_CHANGES.map((
        [title, change],
      ) => /** @type {[string, () => number[]]} */ ([title, () => {
        const pose = decomposeAffine(this.picture.theta, this.input.size);
        return composeAffine(change(pose), this.input.size);
      }])),
    ];
    return chips.map(([title, theta]) =>
      element("button.stn-chip", { type: "button", onclick: () => choose(theta()) }, title)
    );
  }

  #build() {
    const { picture } = this;
    this.input.setInput(picture.input, picture.transformer);
    this.centres = pixelCentres(picture.outputSize[0], picture.outputSize[1]);
    this.#draw();
  }

  show() {
    this.isShown = true;
    this.#drawNow();
  }

  hide() {
    this.isShown = false;
    this.answer.stop();
  }

  /** Halve the region's scale, about the middle of the network's region. */
  playAnswer() {
    const { picture, input: { size } } = this;
    const pose = { ...decomposeAffine(picture.predictedTheta, size), shear: 0 };
    const [from, to] = HALVED;
    return this.answer.run(ANSWER_MILLISECONDS, (share) => {
      const scale = from + share * (to - from);
      picture.setTheta(composeAffine({ ...pose, scaleX: scale, scaleY: scale }, size));
    });
  }

  query() {
    return thetaQuery(this.picture);
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const theta = readTheta(query);
    if (theta) this.picture.setTheta(theta);
  }

  #draw() {
    if (this.isShown) this.drawing.request();
  }

  #drawNow() {
    const { picture } = this;
    const { theta, input } = picture;
    const size = input.shape.slice(0, 2);
    this.input.draw(theta);
    this.matrix.update(theta);
    this.sliders.update(theta, size);
    drawOutput(this.output, picture, warpPoints(MATRIX_2X3, theta, this.centres ?? []));
    setText(this.sentence, regionSentence(regionLattice(theta, size), size));
    this.#classify(theta);
  }

  /**
   * Show the classifier's prediction for the output.
   * @param {number[]} theta
   */
  async #classify(theta) {
    const { picture } = this;
    try {
      const frame = picture.chosenTheta
        ? await picture.request(
          picture.weights,
          { theta: { [picture.transformer.name]: theta } },
          "theta",
        )
        : picture.frame;
      if (frame) setText(this.verdict, readingText(frame));
    } catch {
      setText(this.verdict, ""); // without a server the figure still computes
    }
  }
}

/** @param {Frame} frame */
function readingText({ info, tensors }) {
  const probability = Math.max(...tensors.probabilities.data);
  return `The classifier gets only the output: ${labelName(info, info.predicted[0])}, with ${
    percent(probability, 0)
  }.`;
}
