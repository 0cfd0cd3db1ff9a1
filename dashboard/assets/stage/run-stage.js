// One run on the stage: its title, and the view of it that fills the stage.

import { element, setText } from "../ui/dom.js";
import { ProbeDetail } from "./probe-detail.js";
import { ProbeGrid } from "./probe-grid.js";
import { ProbeSummary } from "./probe-summary.js";
import { runTitle } from "../ui/text.js";

export class RunStage {
  /**
   * @param {Watch} watch of the run
   * @param {{pick: (probe: number, byKey?: boolean) => void, turn: (by: number) => void}} on `pick`
   *   is called with a probe to be opened, `turn` to open another probe than the one that is open
   */
  constructor(watch, on) {
    this.watch = watch;
    this.views = {
      probes: new ProbeGrid({ pick: on.pick }),
      probe: new ProbeDetail(on.turn),
      summary: new ProbeSummary(),
    };
    this.current = this.views.probes;
    this.title = element("p.stn-run-stage-title");
    this.element = element("div.stn-run-stage", {}, this.title, this.current.element);
    this.watch.addEventListener("change", () => {
      this.#updateTitle();
      const run = this.watch.runShown;
      this.views.probes.reserve(run?.probes ?? 0);
      this.views.probe.setRun(run);
    });
  }

  /** Sets which view fills the stage, and which layers are drawn. */
  setView(view) {
    for (const each of Object.values(this.views)) each.setView(view);
    const next = this.views[view.kind];
    if (next !== this.current) {
      this.current.element.replaceWith(next.element);
      this.current = next;
      next.enter?.();
    }
    this.watch.trace(view.layers.trail);
  }

  /** Moves the focus to the view, on a probe of it where it has several. */
  focus(probe) {
    this.current.focus(probe);
  }

  /** Sets a note beside the title; null removes it. */
  setNote(note) {
    this.note = note;
    this.#updateTitle();
  }

  // The title is visible only while two runs are compared.
  #updateTitle() {
    const { run, problem } = this.watch;
    const parts = run ? [runTitle(run), run.status, this.note] : [problem?.message];
    const text = parts.filter(Boolean).join("; ");
    setText(this.title, text);
    this.title.title = text;
  }

  /** Draws a frame. Called within an animation frame. */
  draw(frame, past) {
    this.current.draw(frame, past);
  }

  /** Draws the current frame again, since the view has changed. */
  redraw() {
    const { shown, past } = this.watch;
    if (shown) this.current.draw(shown, past);
  }

  resize(width, height, minHeight) {
    this.current.resize(width, height, minHeight);
  }
}
