// The list of runs, each with what may be done with it.

import { defaultConfig } from "../protocol/catalog.js";
import { element, setText } from "../ui/dom.js";
import { isLive, percent, runTitle, span, statusWords, unusualSettings } from "../ui/text.js";

const TITLES = {
  download: "Download",
  pause: "Pause",
  resume: "Resume",
  stop: "Stop",
  compare: "Compare",
  delete: "Delete",
};
const OPEN = "Open a recording";
// A question that nobody answers is taken back.
const ASKED_FOR = 5000;

/** One run: its name, how far it is, and buttons. */
class Row {
  constructor(list, id) {
    this.list = list;
    this.id = id;
    this.link = element("a.stn-run-title", { href: `?run=${encodeURIComponent(id)}` });
    this.link.onclick = (event) => this.#open(event);
    this.status = element("span.stn-run-status");
    this.detail = element("span.stn-run-detail");
    this.bar = element("span.stn-bar", {}, element("span"));
    this.buttons = element("span.stn-run-actions");
    const words = element("div.stn-run-words", {}, this.link, this.detail);
    this.element = element("li.stn-run", {}, this.status, words, this.bar, this.buttons);
  }

  /**
   * @param {string | null} shown id of the run on the stage
   * @param {string | null} beside id of the one beside it
   */
  show(run, shown, beside) {
    this.run = run;
    setText(this.link, runTitle(run));
    this.link.title = run.id;
    setText(this.status, statusWords(run.status));
    this.status.dataset.status = run.status;
    setText(this.detail, detail(run, Date.now()));
    this.detail.title = run.error ?? "";
    const total = run.epochs * run.steps_per_epoch;
    this.bar.firstChild.style.width = `${(100 * run.step) / Math.max(1, total)}%`;
    this.element.setAttribute("aria-current", run.id === shown);
    this.element.toggleAttribute("data-beside", run.id === beside);
    const actions = (run.can ?? []).filter((action) => TITLES[action] && action !== "delete");
    actions.unshift("download");
    if (shown && run.id !== shown && run.id !== beside && run.frames) actions.push("compare");
    if (!isLive(run.status)) actions.push("delete");
    const wanted = actions.join();
    if (wanted !== this.wanted) {
      this.wanted = wanted;
      this.buttons.replaceChildren(...actions.map((action) => this.#button(action)));
    }
  }

  #button(action) {
    const button = element("button.stn-button.stn-small", { type: "button" }, TITLES[action]);
    button.dataset.action = action;
    button.setAttribute("aria-label", `${TITLES[action]} ${runTitle(this.run)}`);
    const own = {
      delete: () => this.#ask(button),
      download: () => this.#download(),
      compare: () => this.list.compare(this.id),
    };
    button.onclick = own[action] ?? (() => this.#act(action));
    return button;
  }

  #download() {
    element("a", { href: this.list.api.recordingUrl(this.id), download: "" }).click();
  }

  // The first press asks, the second one deletes.
  #ask(button) {
    if (button.dataset.asked) {
      this.#act("delete");
      return;
    }
    button.dataset.asked = "yes";
    const name = button.getAttribute("aria-label");
    setText(button, "Delete for good?");
    button.setAttribute("aria-label", `${button.textContent} ${runTitle(this.run)}`);
    setTimeout(() => {
      delete button.dataset.asked;
      setText(button, TITLES.delete);
      button.setAttribute("aria-label", name);
    }, ASKED_FOR);
  }

  #act(action) {
    const { api } = this.list;
    this.list.do(
      () => (action === "delete" ? api.remove(this.id) : api.control(this.id, { action })),
    );
  }

  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.list.open(this.id);
  }
}

export class RunsView {
  /**
   * @param {{open: (id: string) => void, compare: (id: string) => void, shown: () => string,
   *   beside: () => string}} on `open` is called with the run to show, `compare` with the one to put
   *   beside it; `shown` and `beside` tell which those are
   */
  constructor(api, runs, { open, compare, shown, beside }) {
    this.api = api;
    this.runs = runs;
    this.open = open;
    this.compare = (id) => {
      compare(id);
      this.show();
    };
    this.shown = shown;
    this.beside = beside;
    this.rows = new Map();
    this.list = element("ul.stn-runs");
    this.message = element("p.stn-message", { role: "alert" });
    this.empty = element("p.stn-quiet", {}, "No run yet.");
    this.file = element("input", { type: "file", accept: ".stnscope", hidden: true });
    this.file.onchange = () => this.#takeIn(this.file.files[0]);
    this.button = element("button.stn-button.stn-small", { type: "button" }, OPEN);
    this.button.title = "One that was downloaded, here or elsewhere; it becomes a run to watch";
    this.button.onclick = () => this.file.click();
    const files = element("div.stn-row", {}, this.button, this.file);
    this.element = element("div.stn-runlist", {}, this.list, this.empty, files, this.message);
    runs.addEventListener("change", () => this.show());
  }

  /** Acts on the backend; what it refuses is told in its words. */
  async do(act) {
    try {
      await act();
      setText(this.message, "");
    } catch (problem) {
      setText(this.message, problem.message);
    }
    this.runs.refresh();
  }

  // What comes from a file is shown as soon as it is a run.
  async #takeIn(file) {
    this.file.value = "";
    if (!file) return;
    this.button.disabled = true;
    setText(this.button, "Opening …");
    await this.do(async () => this.open((await this.api.takeIn(file)).id));
    this.button.disabled = false;
    setText(this.button, OPEN);
  }

  show() {
    const { runs, problem } = this.runs;
    if (problem) setText(this.message, problem.message);
    else if (this.failed) setText(this.message, "");
    this.failed = Boolean(problem);
    if (!runs) return;
    this.empty.hidden = runs.length > 0;
    const rows = runs.map((run) => {
      const row = this.rows.get(run.id) ?? new Row(this, run.id);
      row.show(run, this.shown(), this.beside());
      return row;
    });
    this.rows = new Map(rows.map((row) => [row.id, row]));
    const elements = rows.map((row) => row.element);
    const same = elements.every((each, index) => each === this.list.children[index]);
    if (!same || elements.length !== this.list.children.length) {
      this.list.replaceChildren(...elements);
    }
  }
}

function madeOf({ epochs, batch_size: batch, probes, ...config }) {
  const rates = [config.learning_rate, config.localisation_learning_rate].join(" and ");
  const parts = [`${epochs} ${epochs === 1 ? "epoch" : "epochs"}`, `batch ${batch}`];
  parts.push(`rates ${rates}`, ...unusualSettings(config, defaultConfig()));
  if (probes.moving) parts.push("moving probes");
  return parts.join(", ");
}

function detail(run, now) {
  const parts = [`step ${run.step} of ${run.epochs * run.steps_per_epoch}`];
  if (run.accuracy !== null) parts.push(`accuracy ${percent(run.accuracy)}`);
  parts.push(`${span(now - 1000 * run.created)} ago`);
  parts.push(madeOf(run.config));
  if (run.demonstration) parts.push("demonstration");
  if (run.imported) parts.push("came from a file");
  if (run.error) parts.push(run.error);
  return parts.join(" · ");
}
