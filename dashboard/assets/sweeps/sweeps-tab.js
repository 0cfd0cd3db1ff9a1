// The tab of sweeps: one of them as charts and a table, what can be done with it as one, and all others.

import { BandChart } from "./band-chart.js";
import {
  combinationTitle,
  FIGURES,
  nextOrder,
  orderText,
  readOrder,
  sortCombinations,
} from "./sweep-text.js";
import { element, setText } from "../ui/dom.js";
import { keyOf, SweepTable } from "./sweep-table.js";
import { percent } from "../ui/number-text.js";
import { SweepHead } from "./sweep-head.js";
import { SweepRow } from "./sweep-row.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Order } from "./sweep-text.js" */
/** @import { Sweep, SweepCurves } from "../protocol/types.js" */

/**
 * @typedef {object} SweepsTabCallbacks
 * @property {(id: string) => void} openRun shows a run on the stage
 * @property {() => void} choose called when another sweep was chosen
 */

const INTERVAL_MILLISECONDS = 2000;
const COLOURED_LINES = 6;
const NONE = "There is no sweep here yet. Compare values in ";
const OR = ", or train one with ";
const COMMAND = "stnscope sweep FILE.toml";
const NOTE =
  "Each figure is the mean over the seeds that finished, and below it their range; a band " +
  "is that range over epochs. Collapsed: runs in whose last frame most regions were.";
const PRELIMINARY = "Grey figures are of runs that have not finished.";

const PART = "Accuracy is that of a part of the held-out images; ";
const RESULTS = " evaluates all of them, and writes the result files that Results shows.";

/**
 * Return an accuracy on a chart's axis: "75%", "96.5%".
 * @param {number} value
 */
const accuracyTick = (value) => percent(value, Number((100 * value).toFixed(6)) % 1 ? 1 : 0);

export class SweepsTab {
  /**
   * @param {Api} api
   * @param {SweepsTabCallbacks} on
   */
  constructor(api, on) {
    this.api = api;
    this.on = on;
    this.onchange = () => {};
    this.isShown = false;
    this.problem = false; // whether the message is of the last request for the sweep
    /** @type {string | null} */
    this.id = null; // of the sweep that is shown; null for the newest
    /** @type {Sweep | null} */
    this.sweep = null;
    /** @type {SweepCurves | null} */
    this.curves = null;
    /** @type {Order} */
    this.order = null;
    /** @type {string | null} */
    this.orderInAddress = null; // before the columns are known
    /** @type {Set<string> | null} */
    this.chosen = null; // combinations whose lines are coloured; null for the first ones
    /** @type {string | null} */
    this.pointed = null; // the combination under the pointer
    this.head = new SweepHead(api, (action) => this.#act(action));
    this.message = element("p.stn-message", { role: "alert" });
    this.charts = [
      new BandChart("Accuracy on held-out images", accuracyTick, false),
      new BandChart("Loss", String, true),
    ];
    this.table = new SweepTable(api, {
      sort: (column) => this.#setOrder(nextOrder(this.order, column)),
      toggle: (key) => this.#toggle(key),
      point: (key) => this.#point(key),
      open: (id) => on.openRun(id),
    });
    this.note = element("p.stn-muted.stn-sweep-note");
    this.resultCommand = element("code");
    this.publishedNote = element(
      "p.stn-muted.stn-sweep-note",
      { hidden: true },
      PART,
      this.resultCommand,
      RESULTS,
    );
    this.content = element(
      "div.stn-sweep-content",
      { hidden: true },
      this.head.element,
      element("div.stn-sweep-charts", {}, ...this.charts.map((chart) => chart.element)),
      this.table.element,
      this.note,
      this.publishedNote,
    );
    this.empty = element("p.stn-tab-message", { hidden: true }, NONE);
    const form = element("a", { href: "?tab=new", data: { tab: "new" } }, "New run");
    this.empty.append(form, OR, element("code", {}, COMMAND), ".");
    this.others = element("ul");
    this.otherSection = element(
      "section.stn-sweep-others",
      { hidden: true },
      element("h3.stn-tab-heading", {}, "Other sweeps"),
      this.others,
    );
    /** @type {Map<string, SweepRow>} */
    this.rows = new Map(); // of other sweeps
    this.element = element(
      "div.stn-sweeps",
      {},
      this.message,
      this.content,
      this.empty,
      this.otherSection,
    );
    document.addEventListener("visibilitychange", () => document.hidden || this.#refresh());
  }

  /**
   * Show the sweep that an address names.
   * @param {URLSearchParams} query
   */
  show(query) {
    this.isShown = true;
    const id = query.get("sweep");
    if (id !== this.id) this.#discard(id);
    this.orderInAddress = query.get("sort");
    if (this.sweep) this.#readOrder(this.sweep);
    this.#refresh();
  }

  hide() {
    this.isShown = false;
    clearTimeout(this.timer);
  }

  /** @returns {Record<string, string | null>} */
  query() {
    return { sweep: this.id, sort: orderText(this.order) };
  }

  /**
   * Show another sweep.
   * @param {string} id
   */
  choose(id) {
    if (id === this.id) return;
    this.#discard(id);
    this.orderInAddress = null;
    this.on.choose();
    this.#refresh();
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** @param {string | null} id */
  #discard(id) {
    this.id = id;
    this.sweep = null;
    this.curves = null;
    this.order = null;
    this.chosen = null;
  }

  /** @param {import("./sweep-head.js").SweepAction} action */
  async #act(action) {
    if (!this.sweep) return;
    const { id } = this.sweep;
    try {
      if (action === "delete") await this.#delete(id);
      else await this.api.controlSweep(id, action);
      setText(this.message, "");
    } catch (problem) {
      setText(this.message, /** @type {Error} */ (problem).message);
    }
    await this.#refresh();
  }

  /** @param {string} id */
  async #delete(id) {
    await this.api.deleteSweep(id);
    this.#discard(null);
    this.onchange();
  }

  /** Request the sweep now, and then again and again while the tab is shown. */
  async #refresh() {
    clearTimeout(this.timer);
    if (!this.isShown) return;
    const request = (this.request = Symbol("request"));
    try {
      const sweeps = await this.api.sweeps();
      const id = this.id ?? sweeps[0]?.id ?? null;
      const [sweep, curves] = id === null
        ? [null, null]
        : await Promise.all([this.api.sweep(id), this.api.sweepCurves(id)]);
      if (request !== this.request) return;
      if (sweep && !this.sweep) this.#readOrder(sweep);
      this.id = id;
      this.sweep = sweep;
      this.curves = curves;
      this.#showOthers(sweeps.filter((each) => each.id !== id));
      this.empty.hidden = sweeps.length > 0;
      if (this.problem) setText(this.message, "");
      this.problem = false;
      this.onchange();
    } catch (problem) {
      if (request !== this.request) return;
      this.problem = true;
      setText(this.message, /** @type {Error} */ (problem).message);
    }
    this.#draw();
    if (this.isShown && !document.hidden) {
      this.timer = setTimeout(() => this.#refresh(), INTERVAL_MILLISECONDS);
    }
  }

  /** @param {import("../protocol/types.js").SweepSummary[]} sweeps */
  #showOthers(sweeps) {
    this.otherSection.hidden = sweeps.length === 0;
    const rows = sweeps.map((sweep) => {
      const row = this.rows.get(sweep.id) ?? new SweepRow(sweep, (id) => this.choose(id));
      row.update(sweep);
      return /** @type {const} */ ([sweep.id, row]);
    });
    const isSame = rows.map(([id]) => id).join() === [...this.rows.keys()].join();
    this.rows = new Map(rows);
    if (!isSame) this.others.replaceChildren(...rows.map(([, row]) => row.element));
  }

  /** @param {Sweep} sweep */
  #readOrder({ fields }) {
    const columns = [
      ...fields,
      "published",
      "done",
      "collapsed",
      ...FIGURES.map(({ name }) => name),
    ];
    this.order = readOrder(this.orderInAddress, columns);
  }

  /** @param {Order} order */
  #setOrder(order) {
    this.order = order;
    this.#draw();
    this.onchange();
  }

  /** @param {string} key */
  #toggle(key) {
    const chosen = new Set(this.#styles(this.#sorted()).keys());
    if (!chosen.delete(key)) chosen.add(key);
    this.chosen = chosen;
    this.#draw();
  }

  /** @param {string | null} key */
  #point(key) {
    this.pointed = key;
    this.#drawCharts();
  }

  #sorted() {
    return sortCombinations(this.sweep?.combinations ?? [], this.order);
  }

  /**
   * Return the style of each line that is coloured: those that were chosen, else those of the first rows.
   * @param {Sweep["combinations"]} combinations
   * @returns {Map<string, number>}
   */
  #styles(combinations) {
    const keys = combinations.map(keyOf);
    const coloured = this.chosen
      ? keys.filter((key) => this.chosen?.has(key))
      : keys.slice(0, COLOURED_LINES);
    return new Map(coloured.map((key, index) => [key, 1 + (index % COLOURED_LINES)]));
  }

  #draw() {
    const { sweep } = this;
    this.content.hidden = !sweep;
    if (!sweep) return;
    this.head.update(sweep);
    const combinations = this.#sorted();
    this.table.draw(sweep, combinations, this.order, this.#styles(combinations));
    const isPreliminary = combinations.some((each) => !each.done && each.accuracy);
    setText(this.note, isPreliminary ? `${NOTE} ${PRELIMINARY}` : NOTE);
    this.publishedNote.hidden = !combinations.some(({ published }) => published);
    setText(this.resultCommand, `stnscope reproduce --from-sweep ${sweep.id}`);
    this.#drawCharts();
  }

  #drawCharts() {
    const { sweep, curves } = this;
    if (!sweep || !curves) return;
    const styles = this.#styles(this.#sorted());
    for (const [index, name] of /** @type {const} */ (["accuracy", "loss"]).entries()) {
      this.charts[index].draw(
        sweep.combinations.flatMap((combination, row) => {
          const curve = curves.combinations[row]?.[name];
          const key = keyOf(combination);
          return curve
            ? [{
              curve,
              style: styles.get(key) ?? 0,
              isPointed: key === this.pointed,
              title: combinationTitle(combination) || sweep.name,
            }]
            : [];
        }),
        curves.epochs,
      );
    }
  }
}
