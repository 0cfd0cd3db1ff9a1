// The table of two runs' measurements, and of the differences between them.

import { differences } from "./run-difference.js";
import { distinctTitles, runTitle } from "../ui/run-text.js";
import { element, setText } from "../ui/dom.js";

/** @import { Frame, Run } from "../protocol/types.js" */

// Milliseconds between two updates of the numbers, so that they can be read.
const UPDATE_INTERVAL = 150;

export class DifferenceTable {
  /** @param {(alignment: "step" | "epoch") => void} setAlignment called with the chosen alignment */
  constructor(setAlignment) {
    this.titles = [element("span"), element("span")];
    /** @type {Record<string, HTMLElement[]>} */
    this.rows = {};
    this.updatedAt = 0;
    /** @type {[Frame, Frame] | null} */
    this.frames = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    this.byEpoch = element("option", { value: "epoch" }, "by epoch");
    this.alignment = element(
      "select.stn-entry",
      { title: "Whether the runs are compared at the same step, or at the same share of an epoch" },
      element("option", { value: "step" }, "by step"),
      this.byEpoch,
    );
    this.alignment.setAttribute("aria-label", "Compare by");
    this.alignment.onchange = () =>
      setAlignment(this.alignment.value === "epoch" ? "epoch" : "step");
    const heads = this.titles.map((title, index) =>
      element("th", { scope: "col", data: { run: index + 1 } }, title)
    );
    const head = element(
      "tr",
      {},
      element("td", {}, this.alignment),
      ...heads,
      element("th", { scope: "col" }, "Difference"),
    );
    this.body = element("tbody");
    this.table = element("table.stn-differences", {}, element("thead", {}, head), this.body);
    this.element = element("section.stn-comparison", {}, this.table);
    this.element.setAttribute("aria-label", "Comparison");
  }

  /**
   * @param {Run | null} run
   * @param {Run | null} comparedRun
   * @param {"step" | "epoch"} alignment
   */
  setRuns(run, comparedRun, alignment) {
    // An epoch of unknown length has no share that a step could be at.
    this.byEpoch.disabled = [run, comparedRun].some((each) => each?.steps_per_epoch === null);
    this.alignment.value = this.byEpoch.disabled ? "step" : alignment;
    const shortTitles = run && comparedRun ? distinctTitles(run, comparedRun) : [];
    const titles = [run, comparedRun].map((titled) => (titled ? runTitle(titled) : "…"));
    titles.forEach((title, index) => {
      setText(this.titles[index], shortTitles[index] ?? title);
      this.titles[index].title = title;
    });
  }

  /**
   * Show how two frames differ, soon.
   * @param {Frame} frame
   * @param {Frame} comparedFrame
   */
  setFrames(frame, comparedFrame) {
    this.frames = [frame, comparedFrame];
    this.timer ??= setTimeout(
      () => this.#update(),
      Math.max(0, this.updatedAt + UPDATE_INTERVAL - Date.now()),
    );
  }

  #update() {
    this.timer = null;
    this.updatedAt = Date.now();
    if (!this.frames) return;
    for (const { name, title, values, difference } of differences(...this.frames)) {
      this.rows[name] ??= this.#addRow();
      [title, ...values, difference].forEach((text, index) =>
        setText(this.rows[name][index], text)
      );
    }
  }

  #addRow() {
    const head = element("th", { scope: "row" });
    const cells = Array.from({ length: 3 }, () => element("td"));
    this.body.append(element("tr", {}, head, ...cells));
    return [head, ...cells];
  }
}
