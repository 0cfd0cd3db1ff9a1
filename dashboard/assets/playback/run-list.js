// The list of runs, requested again and again while the page is visible.

import { isFaulty } from "../ui/text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Run } from "../protocol/types.js" */

const INTERVAL_MILLISECONDS = 2000;

export class RunList extends EventTarget {
  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    /** @type {Run[] | null} */
    this.runs = null; // newest first; null before the first response
    /** @type {Error | null} */
    this.problem = null;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    this.refresh();
  }

  /** Request the runs now, and then every two seconds. */
  async refresh() {
    clearTimeout(this.timer);
    const request = (this.request = Symbol("request"));
    try {
      const runs = await this.api.runs();
      if (request !== this.request) return;
      this.runs = runs;
      this.problem = null;
    } catch (problem) {
      if (request !== this.request) return;
      this.problem = /** @type {Error} */ (problem);
    }
    this.dispatchEvent(new Event("change"));
    if (!document.hidden) {
      this.timer = setTimeout(() => this.refresh(), INTERVAL_MILLISECONDS);
    }
  }
}

/**
 * Return the run to show by default: the newest that is training, else the newest live one, else the newest
 * whose recording can be read.
 * @param {Run[]} runs newest first
 */
export function defaultRun(runs) {
  return (
    runs.find((run) => run.running) ?? runs.find((run) => run.live) ??
      runs.find((run) => !isFaulty(run)) ?? null
  );
}

/**
 * Whether to switch from the run `id` to `candidate` without a request by the user.
 * @param {Run | null} candidate
 * @param {string | null} id
 * @param {Run[]} runs
 */
export function shouldSwitch(candidate, id, runs) {
  if (!candidate || candidate.id === id) return false;
  const current = runs.find((run) => run.id === id);
  return !current?.live || candidate.created > current.created;
}
