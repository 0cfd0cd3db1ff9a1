// The parameterised sampling grid: which place in the input each output pixel asks for; why it is the output that
// asks; and what `align_corners` changes.

import { element } from "../ui/dom.js";
import { AlignCornersPart } from "./align-corners-part.js";
import { ForwardPart } from "./forward-part.js";
import { PointPart } from "./point-part.js";
import { readTheta, thetaQuery } from "./theta-query.js";

/** @import { WalkContext } from "./walk-picture.js" */

/**
 * One part of the figure; one is shown at a time.
 * @typedef {object} Part
 * @property {HTMLElement} element
 * @property {() => void} draw
 * @property {() => Record<string, string>} query
 * @property {(query: URLSearchParams) => void} restore
 */

/** @type {[id: string, title: string][]} */
const PARTS = [
  ["point", "Where a pixel looks"],
  ["backwards", "Why backwards"],
  ["align", "align_corners"],
];

export class GridFigure {
  /** @param {WalkContext} context */
  constructor({ picture, changed }) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.isDrawing = false; // in the next animation frame
    const onChange = () => this.#update();
    /** @type {Part[]} */
    this.parts = [
      new PointPart(picture, onChange),
      new ForwardPart(picture),
      new AlignCornersPart(onChange),
    ];
    this.current = 0;
    this.buttons = PARTS.map(([, title], index) =>
      element(
        "button.stn-chip",
        { type: "button", onclick: () => this.#choose(index) },
        title,
      )
    );
    this.element = element(
      "div.stn-grid-figure",
      {},
      element(
        "div.stn-segments",
        { role: "group", aria: { label: "What the figure shows" } },
        ...this.buttons,
      ),
      ...this.parts.map((part) => element("div.stn-grid-part", {}, part.element)),
    );
    picture.addEventListener("change", onChange);
    picture.addEventListener("theta", onChange);
    new ResizeObserver(() => this.#draw()).observe(this.element);
    this.#mark();
  }

  show() {
    this.isShown = true;
    this.parts[this.current].draw();
  }

  hide() {
    this.isShown = false;
  }

  query() {
    const [id] = PARTS[this.current];
    return {
      ...(this.current ? { figure: id } : {}),
      ...thetaQuery(this.picture),
      ...this.parts[this.current].query(),
    };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const index = PARTS.findIndex(([id]) => id === query.get("figure"));
    if (index >= 0) this.#choose(index);
    for (const part of this.parts) part.restore(query);
    const theta = readTheta(query);
    if (theta) this.picture.setTheta(theta);
  }

  /** @param {number} index of a part */
  #choose(index) {
    this.current = index;
    this.#mark();
    this.#update();
  }

  #mark() {
    this.buttons.forEach((button, index) => {
      const isCurrent = index === this.current;
      button.setAttribute("aria-pressed", String(isCurrent));
      this.element.children[index + 1].toggleAttribute("hidden", !isCurrent);
    });
  }

  #update() {
    this.#draw();
    if (this.isShown) this.changed();
  }

  /** Draw in the next animation frame, once for all changes until then. */
  #draw() {
    if (!this.isShown || this.isDrawing) return;
    this.isDrawing = true;
    requestAnimationFrame(() => {
      this.isDrawing = false;
      this.parts[this.current].draw();
    });
  }
}
