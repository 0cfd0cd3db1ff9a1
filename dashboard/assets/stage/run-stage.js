// One run on the stage: its title, and the view that fills the stage.

import { element, setText } from "../ui/dom.js";
import { runTitle } from "../ui/run-text.js";
import { ProbeDetail } from "./probe-detail.js";
import { ProbeGrid } from "./probe-grid.js";
import { ProbeSummary } from "./probe-summary.js";

/** @import { Frame } from "../protocol/types.js" */
/** @import { RunStore } from "../playback/run-store.js" */
/** @import { View } from "../ui/view-state.js" */

export class RunStage {
  /**
   * @param {RunStore} store
   * @param {{openProbe: (probe: number, isByKey?: boolean) => void,
   *   changeProbe: (offset: number) => void}} on called to open a probe, and to open the one `offset`
   *   positions after the open one
   */
  constructor(store, on) {
    this.store = store;
    this.probes = new ProbeGrid(on.openProbe);
    this.probe = new ProbeDetail(on.changeProbe);
    this.summary = new ProbeSummary();
    /** @type {ProbeGrid | ProbeDetail | ProbeSummary} */
    this.current = this.probes;
    this.note = "";
    this.title = element("p.stn-run-stage-title");
    this.element = element("div.stn-run-stage", {}, this.title, this.current.element);
    this.store.addEventListener("change", () => {
      this.#updateTitle();
      const run = this.store.shownRun;
      this.probes.reserve(run?.probes ?? 0);
      this.probe.setRun(run);
    });
  }

  /**
   * Set which view fills the stage, and which layers are drawn.
   * @param {View} view
   */
  setView(view) {
    const views = { probes: this.probes, probe: this.probe, summary: this.summary };
    for (const each of Object.values(views)) each.setView(view);
    const next = views[view.kind];
    if (next !== this.current) {
      this.current.element.replaceWith(next.element);
      this.current = next;
      if (next === this.probe) this.probe.restoreScroll();
    }
    this.store.loop.setTrail(view.layers.trail);
  }

  /**
   * Move the focus to the view, to one of its probes where it has several.
   * @param {number} probe
   */
  focus(probe) {
    this.current.focus(probe);
  }

  /**
   * Set a note beside the title.
   * @param {string | null} note
   */
  setNote(note) {
    this.note = note ?? "";
    this.#updateTitle();
  }

  // The title is visible only while two runs are compared.
  #updateTitle() {
    const { run, problem } = this.store;
    const parts = run ? [runTitle(run), run.status, this.note] : [problem?.message];
    const text = parts.filter(Boolean).join("; ");
    setText(this.title, text);
    this.title.title = text;
  }

  /**
   * Draw a frame. Called within an animation frame.
   * @param {Frame} frame
   * @param {Frame[]} [trail] frames of earlier steps that trails run through
   */
  draw(frame, trail) {
    this.current.draw(frame, trail);
  }

  /** Draw the current frame again, since the view has changed. */
  redraw() {
    const { frame, trail } = this.store;
    if (frame) this.current.draw(frame, trail);
  }

  /**
   * @param {number} width in CSS pixels
   * @param {number} height in CSS pixels
   * @param {number} [minHeight] of tiles in the grid
   */
  resize(width, height, minHeight) {
    this.current.resize(width, height, minHeight);
  }
}
