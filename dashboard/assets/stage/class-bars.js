// What a network takes a picture for: its classes as bars.

import { element, setText } from "../ui/dom.js";
import { percent } from "../ui/text.js";

const MOST = 10;

export class ClassBars {
  constructor() {
    this.element = element("ol.stn-classes");
    this.bars = [];
  }

  /**
   * @param {number[]} chances of each class
   * @param {string[]} names theirs
   * @param {number} taken the class that the picture is taken for
   * @param {number} most how many are shown, of more the topClasses
   */
  update(chances, names, taken, most = MOST) {
    const shown = topClasses(chances, most);
    while (this.bars.length < shown.length) this.bars.push(new Bar());
    const bars = this.bars.slice(0, shown.length);
    if (this.element.childElementCount !== bars.length) {
      this.element.replaceChildren(...bars.map((bar) => bar.element));
    }
    shown.forEach((index, place) =>
      bars[place].update(names[index] ?? String(index), chances[index], index === taken)
    );
  }
}

class Bar {
  constructor() {
    this.name = element("span.stn-class-name");
    this.filled = element("span.stn-filled");
    this.chance = element("span.stn-class-chance");
    const bar = element("span.stn-class-bar", { aria: { hidden: "true" } }, this.filled);
    this.element = element("li.stn-class", {}, this.name, bar, this.chance);
  }

  update(name, chance, taken) {
    setText(this.name, name);
    setText(this.chance, percent(chance, 0));
    this.filled.style.width = `${100 * chance}%`;
    if (taken) this.element.setAttribute("aria-current", "true");
    else this.element.removeAttribute("aria-current");
  }
}

/** All classes in their order; of more than `most`, those that are topClasses, most of all first. */
function topClasses(chances, most = MOST) {
  const all = chances.map((_, index) => index);
  if (all.length <= most) return all;
  return all.sort((one, other) => chances[other] - chances[one]).slice(0, most);
}
