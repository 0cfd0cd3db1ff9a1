// The table of a sweep: a row for each combination, with its figures over seeds and the last frame of
// each run; sorted by the column whose title is pressed.

import {
  combinationTitle,
  fieldTitle,
  FIGURES,
  publishedText,
  rangeText,
  valueText,
} from "./sweep-text.js";
import { element, setText } from "../ui/dom.js";
import { percent } from "../ui/number-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Order } from "./sweep-text.js" */
/** @import { PublishedFigure, Sweep, SweepCombination, SweepRun } from "../protocol/types.js" */

/**
 * @typedef {object} SweepTableCallbacks
 * @property {(column: string) => void} sort called when a column's title is pressed
 * @property {(key: string) => void} toggle called when the line of a combination is pressed
 * @property {(key: string | null) => void} point called with the combination under the pointer
 * @property {(id: string) => void} open shows a run
 */

// What the runs of a published table differ in.
const ROW = "row";

/**
 * What distinguishes a combination from the others of its sweep.
 * @param {Pick<SweepCombination, "values">} combination
 */
export const keyOf = ({ values }) => JSON.stringify(values);

export class SweepTable {
  /**
   * @param {Pick<Api, "framePictureUrl">} api
   * @param {SweepTableCallbacks} on
   */
  constructor(api, on) {
    this.api = api;
    this.on = on;
    this.columns = ""; // of the head, joined
    this.head = element("tr");
    this.body = element("tbody");
    /** @type {Map<string, CombinationRow>} */
    this.rows = new Map(); // by combination
    this.element = element(
      "table.stn-sweep-table",
      {},
      element("thead", {}, this.head),
      this.body,
    );
    this.body.onpointerleave = () => on.point(null);
  }

  /**
   * @param {Sweep} sweep
   * @param {SweepCombination[]} combinations in the order in which they are shown
   * @param {Order} order
   * @param {Map<string, number>} styles of the lines of combinations; those that have none are left out
   */
  draw(sweep, combinations, order, styles) {
    const hasPublished = combinations.some(({ published }) => published);
    this.#drawHead(sweep.fields, hasPublished, order);
    const rows = combinations.map((combination) => {
      const key = keyOf(combination);
      const row = this.rows.get(key) ?? new CombinationRow(this, key, sweep.fields, combination);
      row.update(combination, styles.get(key) ?? 0);
      return row;
    });
    this.rows = new Map(rows.map((row) => [row.key, row]));
    const shown = rows.map((row) => row.element);
    if (shown.some((each, index) => each !== this.body.children[index])) {
      this.body.replaceChildren(...shown);
    } else while (this.body.children.length > shown.length) this.body.lastChild?.remove();
  }

  /**
   * @param {string[]} fields
   * @param {boolean} hasPublished whether rows have published figures
   * @param {Order} order
   */
  #drawHead(fields, hasPublished, order) {
    const columns = [
      ...fields.map((field) => [field, fieldTitle(field)]),
      ...(hasPublished ? [["published", "Published"]] : []),
      ["done", "Finished"],
      ...FIGURES.map(({ name, title }) => [name, title]),
      ["collapsed", "Collapsed"],
    ];
    if (columns.join() !== this.columns) {
      this.columns = columns.join();
      this.head.replaceChildren(
        element("th", { scope: "col" }, element("span.stn-visually-hidden", {}, "Line")),
        ...columns.map(([column, title]) => {
          const button = element("button.stn-sweep-sort", { type: "button" }, title);
          button.onclick = () => this.on.sort(column);
          return element("th", { scope: "col", data: { column } }, button);
        }),
        element("th", { scope: "col" }, "Last frames"),
      );
    }
    for (const cell of this.head.querySelectorAll("th")) {
      const isSorted = order !== null && cell.dataset.column === order.column;
      if (isSorted) cell.setAttribute("aria-sort", order.isDescending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
  }
}

class CombinationRow {
  /**
   * @param {SweepTable} table
   * @param {string} key
   * @param {string[]} fields
   * @param {SweepCombination} combination
   */
  constructor(table, key, fields, combination) {
    this.table = table;
    this.key = key;
    this.line = element("button.stn-sweep-line", {
      type: "button",
      title: "Show this line in colour, or in grey",
    });
    this.line.setAttribute("aria-label", `Line of ${combinationTitle(combination) || "all runs"}`);
    this.line.onclick = () => table.on.toggle(key);
    this.done = element("td", { data: { title: "Finished" } });
    this.figures = FIGURES.map(({ title }) => {
      const mean = element("span.stn-sweep-mean");
      const range = element("span.stn-sweep-range");
      return { mean, range, cell: element("td", { data: { title } }, mean, range) };
    });
    this.collapsed = element("td", { data: { title: "Collapsed" } });
    this.pictures = element("ul.stn-sweep-frames");
    /** @type {Map<string, RunPicture>} */
    this.runs = new Map(); // by run
    this.element = element(
      "tr",
      {},
      element("td", {}, this.line),
      ...fields.map((field, index) =>
        element(
          index ? "td" : "th",
          { data: { title: fieldTitle(field) }, ...(index ? {} : { scope: "row" }) },
          valueText(combination.values[field]),
          ...(field === ROW && combination.published ? [rowTitle(combination.published)] : []),
        )
      ),
      ...(combination.published ? [publishedCell(combination.published)] : []),
      this.done,
      ...this.figures.map(({ cell }) => cell),
      this.collapsed,
      element("td", {}, this.pictures),
    );
    this.element.onpointerenter = () => table.on.point(key);
  }

  /**
   * @param {SweepCombination} combination
   * @param {number} style of its line; 0 for grey
   */
  update(combination, style) {
    const { runs, done, collapsed, observed } = combination;
    this.line.dataset.line = String(style);
    this.line.setAttribute("aria-pressed", String(style > 0));
    setText(this.done, `${done} of ${runs.length}`);
    for (const [index, { name, text }] of FIGURES.entries()) {
      const spread = combination[name];
      const { mean, range, cell } = this.figures[index];
      setText(mean, spread ? text(spread.mean) : "–");
      setText(range, rangeText(spread, text));
      // The mean is of runs that are still being trained, or were stopped.
      cell.toggleAttribute("data-preliminary", done === 0 && spread !== null);
    }
    setText(this.collapsed, observed ? `${collapsed} of ${observed}` : "–");
    this.collapsed.toggleAttribute("data-collapsed", collapsed > 0);
    const pictures = runs.map((run) => {
      const picture = this.runs.get(run.id) ?? new RunPicture(this.table, run);
      picture.update(run);
      return picture;
    });
    if (pictures.map(({ id }) => id).join() !== [...this.runs.keys()].join()) {
      this.pictures.replaceChildren(...pictures.map((each) => each.element));
    }
    this.runs = new Map(pictures.map((each) => [each.id, each]));
  }
}

/** @param {PublishedFigure} published */
const rowTitle = ({ network, data }) => element("span.stn-sweep-range", {}, `${network}; ${data}`);

/** @param {PublishedFigure} published */
function publishedCell(published) {
  const cell = element("td", { data: { title: "Published" } }, publishedText(published));
  cell.title = `As published: ${published.figure} % ${published.measure}`;
  return cell;
}

/** The last frame of a run, which is a link to it. */
class RunPicture {
  /**
   * @param {SweepTable} table
   * @param {SweepRun} run
   */
  constructor(table, run) {
    this.table = table;
    this.id = run.id;
    this.image = element("img", { alt: "", loading: "lazy", hidden: true });
    this.caption = element("span.stn-sweep-caption");
    this.link = element(
      "a",
      { href: `?run=${encodeURIComponent(run.id)}` },
      element("span.stn-sweep-frame", {}, this.image),
      this.caption,
    );
    this.link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      table.on.open(this.id);
    };
    this.element = element("li", {}, this.link);
  }

  /** @param {SweepRun} run */
  update(run) {
    const { seed, status, done, accuracy, last_step: step, attempt, error } = run;
    const state = done ? percent(accuracy) : status.replaceAll("_", " ");
    setText(this.caption, `seed ${seed} · ${state}`);
    this.link.toggleAttribute("data-failed", run.failed);
    this.link.title = error ??
      `${done ? "Finished" : `Step ${run.step} of ${run.steps ?? "?"}`}, accuracy ${
        percent(accuracy)
      }${run.collapsed ? ", collapsed" : ""}`;
    this.link.toggleAttribute("data-collapsed", run.collapsed);
    this.image.hidden = step === null;
    if (step === null) return;
    const { href } = this.table.api.framePictureUrl(this.id, step, { attempt, thumbnail: true });
    if (this.image.src !== href) this.image.src = href;
  }
}
