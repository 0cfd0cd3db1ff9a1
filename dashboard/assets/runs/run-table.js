// The table of runs, each with buttons for its actions.

import { defaultConfig } from "../protocol/catalog.js";
import {
  duration,
  integer,
  isFaulty,
  percent,
  runTitle,
  UNRESPONSIVE,
  unusualSettings,
} from "../ui/text.js";
import { element, setText } from "../ui/dom.js";
import { viewerRefusal } from "../protocol/access.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Example, Run, RunConfig } from "../protocol/types.js" */
/** @import { RunList } from "../playback/run-list.js" */

/** @typedef {"download" | "pause" | "resume" | "stop" | "compare" | "delete"} Action */

/** @type {Record<Action, {title: string, hint: string}>} */
const ROW_ACTIONS = {
  download: {
    title: "Download",
    hint: "Download the recording as one file, to keep it or to import it elsewhere",
  },
  pause: { title: "Pause", hint: "Pause the training; it can be resumed" },
  resume: { title: "Resume", hint: "Resume the training" },
  stop: { title: "Stop", hint: "Stop the training; the recording is kept" },
  compare: { title: "Compare", hint: "Show this run beside the one on the stage" },
  delete: { title: "Delete", hint: "Delete the run and its recording" },
};
/** @type {Action[]} */
const CONTROLS = ["pause", "resume", "stop"];
const CONFIRM = "Confirm delete";
// Milliseconds in which a deletion can be confirmed.
const CONFIRM_TIMEOUT = 5000;
const IMPORT = "Import a recording";
const MORE = "Show more runs";

/**
 * @typedef {object} RunTableCallbacks
 * @property {(id: string) => void} open shows a run on the stage
 * @property {(id: string) => void} compare shows a run beside the one on the stage
 * @property {() => string | null | undefined} openId id of the run on the stage
 * @property {() => string | null | undefined} comparedId id of the run beside it
 */

/** One run: its title, its progress, and buttons. */
class Row {
  /**
   * @param {RunTable} table
   * @param {Run} run
   * @param {Example | null} example which the run is, if it ships with the program
   */
  constructor(table, run, example = null) {
    this.table = table;
    this.run = run;
    this.example = example;
    this.actions = ""; // of the buttons, joined
    this.link = element("a.stn-run-title", { href: `?run=${encodeURIComponent(run.id)}` });
    this.link.onclick = (event) => this.#open(event);
    this.status = element("span.stn-run-status");
    this.details = element("span.stn-run-detail");
    this.progress = element("span");
    this.bar = element("span.stn-bar", { hidden: example !== null }, this.progress);
    this.buttons = element("span.stn-run-actions");
    const words = element("div.stn-run-text", {}, this.link, this.details);
    this.element = element("li.stn-run", {}, this.status, words, this.bar, this.buttons);
  }

  /** @param {Run} run */
  update(run) {
    this.run = run;
    const { on } = this.table;
    setText(this.link, this.title);
    this.link.title = run.id;
    setText(this.status, this.example ? "example" : run.status.replaceAll("_", " "));
    this.status.dataset.status = run.status;
    setText(this.details, this.example?.description ?? runDetails(run, Date.now()));
    this.details.title = run.error ?? "";
    const total = totalSteps(run);
    this.bar.style.visibility = total ? "" : "hidden";
    this.progress.style.width = `${(100 * run.step) / Math.max(1, total)}%`;
    this.element.setAttribute("aria-current", String(run.id === on.openId()));
    this.element.toggleAttribute("data-compared", run.id === on.comparedId());
    const actions = this.#allowedActions();
    if (actions.join() === this.actions) return;
    this.actions = actions.join();
    this.buttons.replaceChildren(...actions.map((action) => this.#button(action)));
  }

  get title() {
    return this.example?.title ?? runTitle(this.run);
  }

  /** @returns {Action[]} */
  #allowedActions() {
    const { run, table: { on } } = this;
    const open = on.openId();
    const canCompare = open && run.id !== open && run.id !== on.comparedId() && run.frames;
    return [
      "download",
      ...CONTROLS.filter((action) => run.can.includes(action)),
      ...(canCompare ? /** @type {Action[]} */ (["compare"]) : []),
      ...(run.can.includes("delete") ? /** @type {Action[]} */ (["delete"]) : []),
    ];
  }

  /** @param {Action} action */
  #button(action) {
    const { title, hint } = ROW_ACTIONS[action];
    const button = element("button.stn-button.stn-small", { type: "button", title: hint }, title);
    button.dataset.action = action;
    button.setAttribute("aria-label", `${title} ${this.title}`);
    button.onclick = () => {
      if (action === "delete") this.#delete(button);
      else if (action === "download") this.#download();
      else if (action === "compare") this.table.compare(this.run.id);
      else this.table.request((api) => api.control(this.run.id, { action }));
    };
    return button;
  }

  #download() {
    const href = this.table.api.recordingUrl(this.run.id).href;
    element("a", { href, download: "" }).click();
  }

  /**
   * Ask for a confirmation on the first press; delete on the second.
   * @param {HTMLButtonElement} button
   */
  #delete(button) {
    if (button.dataset.confirming) {
      this.table.request((api) => api.deleteRun(this.run.id));
      return;
    }
    button.dataset.confirming = "true";
    setText(button, CONFIRM);
    button.setAttribute("aria-label", `${CONFIRM} ${this.title}`);
    setTimeout(() => {
      delete button.dataset.confirming;
      setText(button, ROW_ACTIONS.delete.title);
      button.setAttribute("aria-label", `${ROW_ACTIONS.delete.title} ${this.title}`);
    }, CONFIRM_TIMEOUT);
  }

  /** @param {MouseEvent} event */
  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.table.on.open(this.run.id);
    if (this.example?.compare) this.table.compare(this.example.compare);
  }
}

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
    /** @type {Map<string, Row>} */
    this.rows = new Map(); // by run
    this.body = element("ul");
    this.message = element("p.stn-message", { role: "alert" });
    this.empty = element("p.stn-muted", {}, "No run yet.");
    this.file = element("input", { type: "file", accept: ".stnscope", hidden: true });
    this.file.onchange = () => this.#import(this.file.files?.[0]);
    this.button = element("button.stn-button.stn-small", { type: "button" }, IMPORT);
    this.button.title = "Import a recording that was downloaded, here or elsewhere, as a run";
    this.button.onclick = () => this.file.click();
    const files = element("div.stn-row.stn-acting", {}, this.button, this.file);
    this.more = element("button.stn-button.stn-small", { type: "button" }, MORE);
    this.more.title = "Older runs are listed on request";
    this.more.onclick = () => this.#showMore();
    this.moreRow = element("div.stn-row", { hidden: true }, this.more);
    /** @type {Row[] | null} */
    this.examples = null; // requested once
    this.exampleList = element("ul");
    this.exampleSection = element(
      "section",
      { hidden: true },
      element("h4", {}, "Examples"),
      this.exampleList,
    );
    const parts = [this.body, this.empty, this.moreRow, files, this.message, this.exampleSection];
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
      const row = this.rows.get(run.id) ?? new Row(this, run);
      row.update(run);
      return row;
    });
    this.rows = new Map(rows.map((row) => [row.run.id, row]));
    const elements = rows.map((row) => row.element);
    const isSame = elements.length === this.body.children.length &&
      elements.every((each, index) => each === this.body.children[index]);
    if (!isSame) this.body.replaceChildren(...elements);
    this.#updateExamples();
  }

  async #updateExamples() {
    if (!this.examples) {
      this.examples = [];
      try {
        const examples = await this.api.examples();
        this.examples = examples.map((example) => new Row(this, example.run, example));
      } catch {
        this.examples = null; // requested again with the next list
        return;
      }
      this.exampleList.replaceChildren(...this.examples.map((row) => row.element));
      this.exampleSection.hidden = this.examples.length === 0;
    }
    for (const row of this.examples) row.update(row.run);
  }
}

/** @param {Run} run */
const totalSteps = (run) => (run.epochs ?? 0) * (run.steps_per_epoch ?? 0);

/** @param {Run} run */
function describeConfig({ config, watched }) {
  if (watched) return `${integer(config.parameters)} weights, watched`;
  const { epochs, batch_size: batch, probes } = config;
  const rates = [config.learning_rate, config.localisation_learning_rate].join(" and ");
  const parts = [`${epochs} ${epochs === 1 ? "epoch" : "epochs"}`, `batch ${batch}`];
  parts.push(`learning rates ${rates}`, ...unusualSettings(config, defaultConfig()));
  if (probes.moving === "tracks") parts.push("probes along tracks");
  else if (probes.moving) parts.push("moving probes");
  return parts.join(", ");
}

/**
 * @param {Run} run
 * @param {number} now milliseconds since 1970
 */
function runDetails(run, now) {
  if (isFaulty(run)) return run.error ?? "";
  const total = totalSteps(run);
  const parts = [total ? `step ${run.step} of ${total}` : `step ${run.step}`];
  if (run.accuracy !== null) parts.push(`accuracy ${percent(run.accuracy)}`);
  parts.push(`${duration(now - 1000 * run.created)} ago`);
  parts.push(describeConfig(run));
  if (run.demonstration) parts.push("demonstration");
  if (run.imported) parts.push("imported");
  if (run.unresponsive) parts.push(UNRESPONSIVE);
  if (run.error) parts.push(run.error);
  return parts.join(" · ");
}
