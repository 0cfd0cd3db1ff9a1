// One run in the list: a picture of its last frame, its title, its progress, and buttons.

import { defaultConfig, limitOf } from "../protocol/catalog.js";
import { duration, integer, percent } from "../ui/number-text.js";
import {
  configTitle,
  isFaulty,
  runTitle,
  UNRESPONSIVE,
  unusualSettings,
  WAITS_FOR_CLUSTER,
} from "../ui/run-text.js";
import { isDeleteConfirmed } from "../ui/confirm-delete.js";
import { element, setText } from "../ui/dom.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Example, Run, RunConfig } from "../protocol/types.js" */

/**
 * @typedef {object} RunTableCallbacks
 * @property {(id: string) => void} open shows a run on the stage
 * @property {(id: string) => void} compare shows a run beside the one on the stage
 * @property {(id: string) => void} openSweep shows a sweep
 * @property {() => string | null | undefined} openId id of the run on the stage
 * @property {() => string | null | undefined} comparedId id of the run beside it
 */

/**
 * The part of the table that one of its runs uses.
 * @typedef {object} ItemTable
 * @property {Api} api
 * @property {RunTableCallbacks} on
 * @property {(id: string) => void} compare shows a run beside the one on the stage
 * @property {(send: (api: Api) => Promise<unknown>) => void} request sends a request, and shows why it
 *   is refused
 */

/** @typedef {"download" | "pause" | "resume" | "stop" | "compare" | "rename" | "delete"} Action */

/** @type {Record<Action, {title: string, hint: string}>} */
const RUN_ACTIONS = {
  download: {
    title: "Download",
    hint: "Download the recording as one file, to keep it or to import it elsewhere",
  },
  pause: { title: "Pause", hint: "Pause the training; it can be resumed" },
  resume: { title: "Resume", hint: "Resume the training" },
  stop: { title: "Stop", hint: "Stop the training; the recording is kept" },
  compare: {
    title: "Compare",
    hint: "Show this run beside the one on the stage",
  },
  rename: { title: "Rename", hint: "Give the run a name of your own" },
  delete: { title: "Delete", hint: "Delete the run and its recording" },
};
/** @type {Action[]} */
const CONTROLS = ["pause", "resume", "stop"];

export class RunListItem {
  /**
   * @param {ItemTable} table
   * @param {Run} run
   * @param {Example | null} example which the run is, if it ships with the program
   */
  constructor(table, run, example = null) {
    this.table = table;
    this.run = run;
    this.example = example;
    this.actions = ""; // of the buttons, joined
    this.link = element("a.stn-run-title", {
      href: `?run=${encodeURIComponent(run.id)}`,
    });
    this.link.onclick = (event) => this.#open(event);
    this.picture = element("img.stn-run-picture", { alt: "", loading: "lazy" });
    const maxLength = limitOf("name_length");
    this.name = element("input.stn-run-name", {
      hidden: true,
      aria: { label: "Name of the run" },
    });
    if (Number.isFinite(maxLength)) this.name.maxLength = maxLength;
    this.name.onkeydown = (event) => this.#onNameKey(event);
    this.name.onblur = () => this.#endRename(true);
    this.status = element("span.stn-run-status");
    this.details = element("span.stn-run-detail");
    this.progress = element("span");
    this.bar = element(
      "span.stn-bar",
      { hidden: example !== null },
      this.progress,
    );
    this.buttons = element("span.stn-run-actions");
    const words = element(
      "div.stn-run-text",
      {},
      this.link,
      this.name,
      this.details,
    );
    const parts = [this.picture, this.status, words, this.bar, this.buttons];
    this.element = element("li.stn-run", {}, ...parts);
  }

  /** @param {Run} run */
  update(run) {
    this.run = run;
    const { on } = this.table;
    setText(this.link, this.title);
    this.link.title = run.id;
    setText(
      this.status,
      this.example ? "example" : run.status.replaceAll("_", " "),
    );
    this.status.toggleAttribute("data-running", run.running);
    this.status.toggleAttribute("data-broken", run.broken);
    setText(
      this.details,
      this.example?.description ?? runDetails(run, Date.now()),
    );
    this.details.title = run.error ?? "";
    const total = totalSteps(run);
    this.bar.style.visibility = total ? "" : "hidden";
    this.progress.style.width = `${(100 * run.step) / Math.max(1, total)}%`;
    this.#updatePicture();
    this.element.setAttribute("aria-current", String(run.id === on.openId()));
    this.element.toggleAttribute("data-compared", run.id === on.comparedId());
    const actions = this.#allowedActions();
    if (actions.join() === this.actions) return;
    this.actions = actions.join();
    this.buttons.replaceChildren(
      ...actions.map((action) => this.#button(action)),
    );
  }

  get title() {
    return this.example?.title ?? runTitle(this.run);
  }

  /** @returns {Action[]} */
  #allowedActions() {
    const { run, table: { on } } = this;
    const open = on.openId();
    const canCompare = open && run.id !== open && run.id !== on.comparedId() &&
      run.frames;
    return [
      ...(this.table.api.recordingUrl(run.id) ? /** @type {Action[]} */ (["download"]) : []),
      ...CONTROLS.filter((action) => run.can.includes(action)),
      ...(canCompare ? /** @type {Action[]} */ (["compare"]) : []),
      ...(run.can.includes("rename") ? /** @type {Action[]} */ (["rename"]) : []),
      ...(run.can.includes("delete") ? /** @type {Action[]} */ (["delete"]) : []),
    ];
  }

  /** @param {Action} action */
  #button(action) {
    const { title, hint } = RUN_ACTIONS[action];
    const button = element("button.stn-button.stn-small", {
      type: "button",
      title: hint,
    }, title);
    button.dataset.action = action;
    button.setAttribute("aria-label", `${title} ${this.title}`);
    button.onclick = () => {
      if (action === "delete") {
        if (isDeleteConfirmed(button, RUN_ACTIONS.delete.title, this.title)) {
          this.table.request((api) => api.deleteRun(this.run.id));
        }
      } else if (action === "download") this.#download();
      else if (action === "rename") this.#rename();
      else if (action === "compare") this.table.compare(this.run.id);
      else this.table.request((api) => api.control(this.run.id, { action }));
    };
    return button;
  }

  /** Show the run's last frame; of one that trains, the last when the list was requested. */
  #updatePicture() {
    const { id, last_step: step, attempt } = this.run;
    this.picture.hidden = step === null;
    if (step === null) return;
    const query = { attempt, thumbnail: true };
    const { href } = this.table.api.framePictureUrl(id, step, query);
    if (this.picture.src !== href) this.picture.src = href;
  }

  /** Put a field for the name in the place of the title. */
  #rename() {
    this.name.value = this.run.name ?? "";
    this.name.placeholder = configTitle(this.run);
    this.link.hidden = true;
    this.name.hidden = false;
    this.name.focus();
    this.name.select();
  }

  /** @param {KeyboardEvent} event */
  #onNameKey(event) {
    event.stopPropagation(); // keys of the stage
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // else Enter would press the button that is focused next
    this.#endRename(event.key === "Enter");
    /** @type {HTMLElement | null} */ (this.buttons.querySelector("[data-action=rename]"))?.focus();
  }

  /** @param {boolean} isConfirmed */
  #endRename(isConfirmed) {
    if (this.name.hidden) return;
    this.name.hidden = true;
    this.link.hidden = false;
    const name = this.name.value.trim() || null;
    if (isConfirmed && name !== this.run.name) {
      this.table.request((api) => api.renameRun(this.run.id, name));
    }
  }

  #download() {
    const href = this.table.api.recordingUrl(this.run.id)?.href;
    if (href) element("a", { href, download: "" }).click();
  }

  /** @param {MouseEvent} event */
  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.table.on.open(this.run.id);
    if (this.example?.compare) this.table.compare(this.example.compare);
  }
}

/** @param {Run} run */
const totalSteps = (run) => (run.epochs ?? 0) * (run.steps_per_epoch ?? 0);

/** @param {Run} run */
function describeConfig({ config, watched }) {
  if (watched) return `${integer(config.parameters)} weights, watched`;
  const { epochs, batch_size: batch, probes } = config;
  const rates = [config.learning_rate, config.localisation_learning_rate].join(
    " and ",
  );
  const parts = [
    `${epochs} ${epochs === 1 ? "epoch" : "epochs"}`,
    `batch ${batch}`,
  ];
  parts.push(
    `learning rates ${rates}`,
    ...unusualSettings(config, defaultConfig()),
  );
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
  const parts = run.name ? [configTitle(run)] : [];
  parts.push(total ? `step ${run.step} of ${total}` : `step ${run.step}`);
  if (run.accuracy !== null) parts.push(`accuracy ${percent(run.accuracy)}`);
  parts.push(`${duration(now - 1000 * run.created)} ago`);
  parts.push(describeConfig(run));
  if (run.demonstration) parts.push("demonstration");
  if (run.imported) parts.push("imported");
  if (run.node) parts.push(`on ${run.node}`);
  if (run.waits_for_cluster) parts.push(WAITS_FOR_CLUSTER);
  if (run.unresponsive) parts.push(UNRESPONSIVE);
  if (run.error) parts.push(run.error);
  return parts.join(" · ");
}
