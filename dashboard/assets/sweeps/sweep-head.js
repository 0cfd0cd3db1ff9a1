// The head of a sweep: its name, its progress, and the actions on all of its runs.

import { isDeleteConfirmed } from "../ui/confirm-delete.js";
import { element, setText } from "../ui/dom.js";
import { progressText, variedText } from "./sweep-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { SweepSummary } from "../protocol/types.js" */

/** @typedef {"stop" | "resume" | "delete"} SweepAction */

/** @type {[name: SweepAction, title: string, hint: string][]} */
const ACTIONS = [
  ["stop", "Stop all", "Stop the runs that train or wait; their recordings are kept"],
  ["resume", "Resume all", "Train the runs that have not finished"],
  ["delete", "Delete all", "Delete the sweep with all its runs and their recordings"],
];

export class SweepHead {
  /**
   * @param {Pick<Api, "sweepCsvUrl">} api
   * @param {(action: SweepAction) => Promise<void>} act requests an action
   */
  constructor(api, act) {
    this.api = api;
    this.act = act;
    this.name = element("h2.stn-tab-title");
    this.progress = element("span");
    this.varied = element("span.stn-muted");
    this.bar = element("span");
    this.csv = element("a.stn-button.stn-small", { download: "" }, "Save as CSV");
    this.csv.title = "A table with a row for each run";
    this.buttons = ACTIONS.map((action) => this.#createButton(...action));
    const buttons = this.buttons.map(({ button }) => button);
    this.element = element(
      "header.stn-sweep-head",
      {},
      this.name,
      element("p.stn-sweep-facts", {}, this.progress, this.varied),
      element("div.stn-sweep-actions", {}, this.csv, ...buttons),
      element("span.stn-bar", {}, this.bar),
    );
  }

  /** @param {SweepSummary} sweep */
  update(sweep) {
    setText(this.name, sweep.name);
    setText(this.progress, progressText(sweep));
    setText(this.varied, variedText(sweep));
    this.bar.style.width = `${(100 * sweep.done) / Math.max(1, sweep.runs)}%`;
    this.csv.href = this.api.sweepCsvUrl(sweep.id)?.href ?? "";
    for (const { name, button } of this.buttons) button.hidden = !sweep.can.includes(name);
  }

  /**
   * @param {SweepAction} name
   * @param {string} title
   * @param {string} hint
   */
  #createButton(name, title, hint) {
    const button = element("button.stn-button.stn-small", { type: "button", title: hint }, title);
    button.dataset.action = name;
    button.onclick = async () => {
      if (name === "delete" && !isDeleteConfirmed(button, title)) return;
      button.disabled = true;
      await this.act(name);
      button.disabled = false;
    };
    return { name, button };
  }
}
