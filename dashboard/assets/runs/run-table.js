// The table of runs, by data set, below that of sweeps.

import { datasetTitle } from "../protocol/catalog.js";
import { isFaulty } from "../ui/run-text.js";
import { element, setText } from "../ui/dom.js";
import { viewerRefusal } from "../protocol/access.js";
import { ClusterNodes } from "./cluster-nodes.js";
import { RunListItem } from "./run-list-item.js";
import { SweepRow } from "../sweeps/sweep-row.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Run } from "../protocol/types.js" */
/** @import { RunTableCallbacks } from "./run-list-item.js" */
/** @import { RunList } from "../playback/run-list.js" */

const IMPORT = "Import a recording";
const WATCHED_HEADING = "Watched loops";
const UNREADABLE = "Not readable";
const MORE = "Show more runs";
// Sweeps that are listed here; their tab has all of them.
const LISTED_SWEEPS = 4;

export class RunTable {
  /**
   * @param {Api} api
   * @param {RunList} list
   * @param {RunTableCallbacks} on
   */
  constructor(api, list, on) {
    this.api = api;
    this.list = list;
    this.on = on;
    this.hasListProblem = false; // whether the message is of the list
    /** @type {Map<string, RunListItem>} */
    this.rows = new Map(); // by run
    this.body = element("div.stn-run-groups");
    this.shown = ""; // ids of the listed runs, by group
    this.message = element("p.stn-message", { role: "alert" });
    this.empty = element("p.stn-muted", {}, "No run yet.");
    this.file = element("input", {
      type: "file",
      accept: ".stnscope",
      hidden: true,
    });
    this.file.onchange = () => this.#import(this.file.files?.[0]);
    this.button = element(
      "button.stn-button.stn-small",
      { type: "button" },
      IMPORT,
    );
    this.button.title = "Import a recording that was downloaded, here or elsewhere, as a run";
    this.button.onclick = () => this.file.click();
    const files = element("div.stn-row.stn-acting", {}, this.button, this.file);
    this.more = element(
      "button.stn-button.stn-small",
      { type: "button" },
      MORE,
    );
    this.more.title = "Older runs are listed on request";
    this.more.onclick = () => this.#showMore();
    this.moreRow = element("div.stn-row", { hidden: true }, this.more);
    /** @type {Map<string, SweepRow>} */
    this.sweeps = new Map(); // by sweep
    this.sweepList = element("ul");
    this.allSweeps = element("a", { href: "?tab=sweeps", data: { tab: "sweeps" } }, "All sweeps");
    this.sweepSection = element(
      "section",
      { hidden: true },
      element("h4", {}, "Sweeps"),
      this.sweepList,
      element("p.stn-row.stn-sweep-more", { hidden: true }, this.allSweeps),
    );
    /** @type {RunListItem[] | null} */
    this.examples = null; // requested once
    this.exampleList = element("ul");
    this.exampleSection = element(
      "section",
      { hidden: true },
      element("h4", {}, "Examples"),
      this.exampleList,
    );
    this.cluster = new ClusterNodes(on.open);
    const parts = [
      this.cluster.element,
      this.sweepSection,
      this.body,
      this.empty,
      this.moreRow,
      files,
      this.message,
      this.exampleSection,
    ];
    this.element = element("div.stn-runlist", {}, ...parts);
    list.addEventListener("change", () => this.update());
  }

  /** @param {string} id */
  compare(id) {
    this.on.compare(id);
    this.update();
  }

  /**
   * Send a request to the server, and show why it is refused.
   * @param {(api: Api) => Promise<unknown>} send
   */
  async request(send) {
    try {
      await send(this.api);
      setText(this.message, "");
    } catch (problem) {
      setText(this.message, /** @type {Error} */ (problem).message);
    }
    this.list.refresh();
  }

  async #showMore() {
    this.more.disabled = true;
    await this.list.showMore();
    this.more.disabled = false;
  }

  /**
   * Import a recording, and open it.
   * @param {File | undefined} file
   */
  async #import(file) {
    this.file.value = "";
    if (!file) return;
    this.button.disabled = true;
    setText(this.button, "Importing …");
    setText(this.message, ""); // that of the file before
    await this.request(async (api) => this.on.open((await api.importRecording(file)).id));
    this.button.disabled = false;
    setText(this.button, IMPORT);
  }

  update() {
    const { runs, problem, hasMore } = this.list;
    this.element.classList.toggle("stn-viewing-only", viewerRefusal() !== null);
    if (problem) setText(this.message, problem.message);
    else if (this.hasListProblem) setText(this.message, "");
    this.hasListProblem = Boolean(problem);
    if (!runs) return;
    this.empty.hidden = runs.length > 0;
    this.moreRow.hidden = !hasMore;
    const rows = runs.map((run) => {
      const row = this.rows.get(run.id) ?? new RunListItem(this, run);
      row.update(run);
      return row;
    });
    this.rows = new Map(rows.map((row) => [row.run.id, row]));
    this.cluster.update(this.list.cluster, runs);
    this.#showGroups(rows);
    this.#showSweeps();
    this.#updateExamples();
  }

  /**
   * List rows by data set, in the order of their newest runs; without headings if nothing else is
   * listed.
   * @param {RunListItem[]} rows the newest first
   */
  #showGroups(rows) {
    const groups = Map.groupBy(rows, (row) => groupTitle(row.run));
    const hidden = groups.size === 1 && this.list.sweeps.length === 0 &&
      this.list.cluster.address === null;
    const shown = [...groups].map(([title, all]) =>
      [title, hidden, ...all.map((row) => row.run.id)].join()
    );
    if (shown.join("|") === this.shown) return;
    this.shown = shown.join("|");
    const sections = [...groups].map(([title, all]) => {
      const heading = element("h4", { hidden }, title);
      const list = element("ul", {}, ...all.map((row) => row.element));
      return element("section", {}, heading, list);
    });
    this.body.replaceChildren(...sections);
  }

  /** List the newest sweeps. */
  #showSweeps() {
    const { sweeps } = this.list;
    this.sweepSection.hidden = sweeps.length === 0;
    this.allSweeps.parentElement?.toggleAttribute("hidden", sweeps.length <= LISTED_SWEEPS);
    const rows = sweeps.slice(0, LISTED_SWEEPS).map((sweep) => {
      const row = this.sweeps.get(sweep.id) ?? new SweepRow(sweep, this.on.openSweep);
      row.update(sweep);
      return /** @type {const} */ ([sweep.id, row]);
    });
    const isSame = rows.map(([id]) => id).join() === [...this.sweeps.keys()].join();
    this.sweeps = new Map(rows);
    if (!isSame) this.sweepList.replaceChildren(...rows.map(([, row]) => row.element));
  }

  async #updateExamples() {
    if (!this.examples) {
      this.examples = [];
      try {
        const examples = await this.api.examples();
        this.examples = examples.map((example) => new RunListItem(this, example.run, example));
      } catch {
        this.examples = null; // requested again with the next list
        return;
      }
      this.exampleList.replaceChildren(
        ...this.examples.map((row) => row.element),
      );
      this.exampleSection.hidden = this.examples.length === 0;
    }
    for (const row of this.examples) row.update(row.run);
  }
}

/** @param {Run} run */
function groupTitle(run) {
  if (isFaulty(run)) return UNREADABLE;
  return run.watched ? WATCHED_HEADING : datasetTitle(run.config.dataset);
}
