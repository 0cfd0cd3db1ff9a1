// One sweep in a list: its name, in what its runs differ, and how far it is.

import { element, setText } from "../ui/dom.js";
import { progressText, variedText } from "./sweep-text.js";

/** @import { SweepSummary } from "../protocol/types.js" */

export class SweepRow {
  /**
   * @param {SweepSummary} sweep
   * @param {(id: string) => void} open shows a sweep
   */
  constructor(sweep, open) {
    this.link = element("a.stn-run-title", {
      href: `?tab=sweeps&sweep=${encodeURIComponent(sweep.id)}`,
    });
    this.link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(sweep.id);
    };
    this.status = element("span.stn-run-status");
    this.details = element("span.stn-run-detail");
    this.progress = element("span");
    this.count = element("span.stn-sweep-count");
    const words = element("div.stn-run-text", {}, this.link, this.details);
    const bar = element("span.stn-bar", {}, this.progress);
    this.element = element("li.stn-run", {}, this.count, this.status, words, bar);
    this.update(sweep);
  }

  /** @param {SweepSummary} sweep */
  update(sweep) {
    setText(this.link, sweep.name);
    setText(this.count, `${sweep.runs} ${sweep.runs === 1 ? "run" : "runs"}`);
    setText(this.status, sweep.status);
    this.status.toggleAttribute("data-running", sweep.running);
    this.status.toggleAttribute("data-broken", sweep.broken);
    setText(this.details, `${progressText(sweep)} · ${variedText(sweep)}`);
    this.progress.style.width = `${(100 * sweep.done) / Math.max(1, sweep.runs)}%`;
  }
}
