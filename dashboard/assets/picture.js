// A picture that was put through a network: what went in, what came out, and what it says.

import { element } from "./dom.js";
import { One } from "./one.js";
import { LAYERS } from "./view.js";

const HEIGHT = 320;
const WIDEST = 1000;

export class PictureView {
  constructor() {
    this.one = new One();
    this.one.look({ layers: LAYERS });
    this.notes = element("ul.stn-notes");
    this.element = element("div.stn-picture", {}, this.one.element, this.notes);
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  show(frame) {
    this.one.show(frame);
    this.#resize();
    const notes = frame.info.notes ?? [];
    this.notes.replaceChildren(...notes.map((note) => element("li", {}, note)));
  }

  #resize() {
    const { clientWidth } = this.element;
    if (clientWidth) this.one.resize(Math.min(clientWidth, WIDEST), HEIGHT);
  }
}
