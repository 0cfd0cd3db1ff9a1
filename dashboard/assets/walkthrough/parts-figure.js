// A figure of several parts, of which one is shown at a time.

import { element } from "../ui/dom.js";
import { NextFrame } from "../ui/next-frame.js";

/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

/**
 * One part of a figure.
 * @typedef {object} Part
 * @property {HTMLElement} element
 * @property {() => void} draw
 * @property {() => Record<string, string>} query
 * @property {(query: URLSearchParams) => void} restore
 */

/** @typedef {{id: string, title: string, part: Part}} PartEntry `id` is in addresses */

export class PartsFigure {
  /**
   * @param {WalkthroughContext} context
   * @param {(onChange: () => void) => PartEntry[]} createParts
   */
  constructor({ picture, changed }, createParts) {
    this.picture = picture;
    this.changed = changed;
    this.isShown = false;
    this.drawing = new NextFrame(() => this.parts[this.current].part.draw());
    const onChange = () => this.#update();
    this.parts = createParts(onChange);
    this.current = 0;
    this.buttons = this.parts.map(({ title }, index) =>
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
      ...this.parts.map(({ part }) => element("div", {}, part.element)),
    );
    picture.addEventListener("change", onChange);
    picture.addEventListener("theta", onChange);
    new ResizeObserver(() => this.#draw()).observe(this.element);
    this.#mark();
  }

  show() {
    this.isShown = true;
    this.parts[this.current].part.draw();
  }

  hide() {
    this.isShown = false;
  }

  /** @returns {Record<string, string>} */
  query() {
    const { id, part } = this.parts[this.current];
    return { ...(this.current ? { figure: id } : {}), ...part.query() };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    const index = this.parts.findIndex(({ id }) => id === query.get("figure"));
    if (index >= 0) this.#choose(index);
    for (const { part } of this.parts) part.restore(query);
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

  #draw() {
    if (this.isShown) this.drawing.request();
  }
}
