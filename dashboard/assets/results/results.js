// Results: published figures, and beside them those of result files. Hidden while there is no file.

import { createInvarianceSection } from "./invariance.js";
import { createEvaluationTable, createResultTable, createSignTable } from "./result-tables.js";
import { element } from "../ui/dom.js";
import { retry } from "../protocol/catalog.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { ResultTables } from "../protocol/types.js" */

const LEGEND =
  "Bold figures come from result files, of trainings with stnscope; choose one for its " +
  "configuration, seed, machine, time and command. The others are as published.";

export class Results {
  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.shown = ""; // the tables, as JSON
    /** @type {Promise<ResultTables> | null} */
    this.loading = null;
    this.tables = element("div");
    const title = element("h2.stn-results-title", {}, "Results");
    const legend = element("p.stn-result-recipe.stn-muted", {}, LEGEND);
    this.element = element("section.stn-results", { hidden: true }, title, legend, this.tables);
    this.element.setAttribute("aria-label", "Results");
    this.refresh = () => document.hidden || this.load();
    document.addEventListener("visibilitychange", this.refresh);
  }

  /** Load the results, and draw them again if they have changed. */
  async load() {
    this.loading ??= retry(this.api.results);
    const tables = await this.loading;
    this.loading = null;
    const text = JSON.stringify(tables);
    if (text === this.shown) return;
    this.shown = text;
    this.#draw(tables);
  }

  close() {
    document.removeEventListener("visibilitychange", this.refresh);
  }

  /** @param {ResultTables} results */
  #draw({ signs, tables, evaluations, invariances, unreadable, folder }) {
    const figures = tables.flatMap((table) => table.rows).flatMap((row) => row.figures);
    const own = [...figures, ...signs.ours, ...evaluations, ...invariances, ...unreadable];
    this.element.hidden = !own.length;
    // The navigation has no link to an empty tab.
    document.documentElement.toggleAttribute("data-no-results", !own.length);
    const published = tables.map(createResultTable);
    this.tables.replaceChildren(
      createSignTable(signs),
      ...published.filter((table) => table.open),
      ...(evaluations.length ? [createEvaluationTable(evaluations)] : []),
      ...invariances.map((table) => createInvarianceSection(table, this.api)),
      ...published.filter((table) => !table.open),
      ...unreadable.map(({ origin, name, reason }) =>
        element(
          "p.stn-result-unreadable",
          {},
          `${origin === "home" ? `In ${folder}, ${name}` : name} is not shown. ${reason}`,
        )
      ),
    );
  }
}
