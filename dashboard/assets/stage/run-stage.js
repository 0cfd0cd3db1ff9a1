// One run on the stage: its watch, and what of it fills the stage.

import { Crowd } from "./probe-summary.js";
import { element, setText } from "../ui/dom.js";
import { One } from "./probe-detail.js";
import { Stage } from "./probe-grid.js";
import { statusWords, titleOf } from "../ui/text.js";

export class Side {
  /**
   * @param {Watch} watch
   * @param {{pick: (probe: number) => void, turn: (by: number) => void}} on what was chosen: a probe
   *   to be looked at alone, or another one than that
   */
  constructor(watch, on) {
    this.watch = watch;
    this.sights = {
      probes: new Stage({ pick: on.pick }),
      one: new One(on.turn),
      crowd: new Crowd(),
    };
    this.sight = this.sights.probes;
    this.title = element("p.stn-sight-title");
    this.element = element("div.stn-sight", {}, this.title, this.sight.element);
    this.watch.addEventListener("change", () => {
      this.#name();
      const run = this.watch.runShown;
      this.sights.probes.reserve(run?.probes ?? 0);
      this.sights.one.tell(run);
    });
  }

  /** Sets what fills the stage and what is drawn. */
  look(view) {
    for (const sight of Object.values(this.sights)) sight.look(view);
    const sight = this.sights[view.sight];
    if (sight !== this.sight) {
      this.sight.element.replaceWith(sight.element);
      this.sight = sight;
      sight.enter?.();
    }
    this.watch.trace(view.layers.trail);
  }

  /** Takes the focus, for whoever goes on by keyboard from one probe. */
  focus(probe) {
    this.sight.focus(probe);
  }

  /** Adds a note to its name; none without one. */
  tell(note) {
    this.note = note;
    this.#name();
  }

  // Seen only where two runs are compared.
  #name() {
    const { run, problem } = this.watch;
    const parts = run ? [titleOf(run), statusWords(run.status), this.note] : [problem?.message];
    const said = parts.filter(Boolean).join("; ");
    setText(this.title, said);
    this.title.title = said;
  }

  /** Draws a frame. Called within an animation frame. */
  show(frame, past) {
    this.sight.show(frame, past);
  }

  /** Draws what is shown once again, since it is looked at otherwise now. */
  again() {
    const { shown, past } = this.watch;
    if (shown) this.sight.show(shown, past);
  }

  resize(width, height, least) {
    this.sight.resize(width, height, least);
  }
}
