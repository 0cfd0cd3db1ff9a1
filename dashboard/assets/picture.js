// A picture that was put through a network: what went in, what came out, and what it says.

import { element, setText } from "./dom.js";
import { rowOf } from "./frame.js";
import { Stage } from "./stage.js";
import { percent } from "./words.js";

const HEIGHT = 300;
const MOST_CLASSES = 12;

export class PictureView {
  constructor() {
    this.stage = new Stage({ count: 1 });
    this.words = element("p.stn-theta");
    this.notes = element("ul.stn-notes");
    this.bars = element("ol.stn-classes");
    const beside = element("div.stn-beside", {}, this.words, this.notes, this.bars);
    this.element = element("div.stn-picture", {}, this.stage.element, beside);
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  show(frame) {
    this.stage.show(frame);
    this.#resize();
    const { info, tensors } = frame;
    setText(this.words, sentence(info));
    this.notes.replaceChildren(...(info.notes ?? []).map((note) => element("li", {}, note)));
    const chances = [...rowOf(tensors.probabilities, 0)];
    const bars = likeliest(chances).map((index) =>
      bar(info.classes[index], chances[index], index === info.predicted[0]),
    );
    this.bars.replaceChildren(...bars);
  }

  #resize() {
    const { clientWidth } = this.element;
    if (clientWidth) this.stage.resize(Math.min(clientWidth, 560), HEIGHT);
  }
}

// All classes in their order; of many, those that are likeliest, most of all first.
function likeliest(chances) {
  const all = chances.map((_, index) => index);
  if (all.length <= MOST_CLASSES) return all;
  return all.sort((one, other) => chances[other] - chances[one]).slice(0, MOST_CLASSES);
}

// What is said of each transformer's region, in the order in which they act.
function sentence(info) {
  return Object.values(info.readings ?? {})
    .map(([reading]) => reading.words)
    .join(" ");
}

function bar(name, chance, taken) {
  const filled = element("span.stn-filled");
  filled.style.width = `${100 * chance}%`;
  const made = element(
    "li.stn-class",
    {},
    element("span.stn-class-name", {}, name),
    element("span.stn-class-bar", { aria: { hidden: "true" } }, filled),
    element("span.stn-class-chance", {}, percent(chance, 0)),
  );
  if (taken) made.setAttribute("aria-current", "true");
  return made;
}
