// Why the output samples the input: the inverse warp, compared with the forward warp and its holes.

import { forwardWarp } from "../geometry/forward-warp.js";
import { MATRIX_2X3, pixelCentres, warpPoints } from "../geometry/theta-grid.js";
import { ImagePane } from "../stage/image-pane.js";
import { element, setText, svgElement } from "../ui/dom.js";
import { integer } from "../ui/number-text.js";
import { drawImage, drawOutput, RegionPane } from "./region-pane.js";

/** @import { WalkthroughPicture } from "./walkthrough-picture.js" */

export class ForwardPart {
  /** @param {WalkthroughPicture} picture */
  constructor(picture) {
    this.picture = picture;
    this.input = new RegionPane((theta) => picture.setTheta(theta));
    this.inverse = new ImagePane("Inverse warp: every output pixel samples its value");
    this.forward = new ImagePane("Forward warp: every input pixel is moved to its position");
    this.holes = svgElement("path", { class: "stn-grid-holes" });
    this.overlay = svgElement("svg", { class: "stn-overlay", "aria-hidden": "true" });
    this.overlay.append(this.holes);
    this.forward.setOverlays(this.overlay);
    this.sentence = element("p.stn-walkthrough-sentence.stn-grid-sentence", {
      aria: { live: "polite" },
    });
    this.element = element(
      "div.stn-grid-forward",
      {},
      element("div.stn-walkthrough-pane", {}, this.input.element),
      element("div.stn-walkthrough-pane", {}, this.inverse.element),
      element("div.stn-walkthrough-pane", {}, this.forward.element),
      this.sentence,
    );
    picture.addEventListener("change", () => this.#build());
    this.#build();
  }

  #build() {
    const { picture } = this;
    const [rows, columns] = picture.outputSize;
    this.input.setInput(picture.input, picture.transformer);
    this.centres = pixelCentres(rows, columns);
    this.overlay.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
  }

  query() {
    return /** @type {Record<string, string>} */ ({});
  }

  restore() {}

  draw() {
    const { picture } = this;
    const { theta, input, outputSize } = picture;
    const [rows, columns] = outputSize;
    this.input.draw(theta);
    drawOutput(this.inverse, picture, warpPoints(MATRIX_2X3, theta, this.centres ?? []));
    const warp = forwardWarp(input, theta, outputSize);
    drawImage(this.forward, warp);
    const holes = [...warp.holes.keys()].filter((pixel) => warp.holes[pixel]);
    const squares = holes.map((pixel) =>
      `M${pixel % columns},${Math.floor(pixel / columns)}h1v1h-1z`
    );
    this.holes.setAttribute("d", squares.join(""));
    const overlapping = warp.counts.filter((count) => count > 1).length;
    setText(this.sentence, forwardSentence(holes.length, overlapping, rows * columns));
  }
}

/**
 * @param {number} holes
 * @param {number} overlapping output pixels that receive more than one
 * @param {number} count of output pixels
 */
const forwardSentence = (holes, overlapping, count) =>
  `In the forward warp, the input's pixels leave ${integer(holes)} of ${
    integer(count)
  } output pixels ` +
  `without a value (orange), and ${
    integer(overlapping)
  } receive more than one. In the inverse warp, each ` +
  "output pixel has exactly one sampling point. Drag the region smaller or larger: holes come and go.";
