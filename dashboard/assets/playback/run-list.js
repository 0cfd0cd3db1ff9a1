// The newest runs, those that are live, and sweeps, requested again and again while the page is visible.

import { isFaulty } from "../ui/run-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Cluster, Run, SweepSummary } from "../protocol/types.js" */

const INTERVAL_MILLISECONDS = 2000;
// Runs that are listed at first, and added by each request for more.
const PAGE_SIZE = 50;
// There are a few in training, and as many as wait for it, besides those of sweeps.
const MAX_LIVE = 100;

/** @type {Cluster} */
const NO_CLUSTER = { address: null, refusal: null, nodes: [], waiting: [] };

export class RunList extends EventTarget {
  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    /** @type {Run[] | null} */
    this.runs = null; // newest first; null before the first response
    /** @type {SweepSummary[]} */
    this.sweeps = []; // newest first
    /** @type {Cluster} */
    this.cluster = NO_CLUSTER;
    this.hasCluster = true; // until the first response
    this.limit = PAGE_SIZE; // runs that are listed, besides live ones
    this.hasMore = false; // whether there are older runs
    /** @type {Error | null} */
    this.problem = null;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    this.refresh();
  }

  /** List some more of the older runs. */
  async showMore() {
    this.limit += PAGE_SIZE;
    await this.refresh();
  }

  /** Request the runs now, and then every two seconds. */
  async refresh() {
    clearTimeout(this.timer);
    const request = (this.request = Symbol("request"));
    try {
      const { limit } = this;
      const [newest, live, sweeps, cluster] = await Promise.all([
        this.api.runs({ limit: limit + 1, swept: false }),
        this.api.runs({ limit: MAX_LIVE, live: true, swept: false }),
        this.api.sweeps(),
        this.hasCluster ? this.api.cluster() : NO_CLUSTER,
      ]);
      if (request !== this.request) return;
      this.sweeps = sweeps;
      this.cluster = cluster;
      this.hasCluster = cluster.address !== null;
      this.runs = mergeRuns(newest.slice(0, limit), live);
      // Where all runs are those of sweeps, the newest of them is shown.
      if (!this.runs.length && sweeps.length) this.runs = await this.api.runs({ limit: 1 });
      this.hasMore = newest.length > limit;
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
 * Return runs and live ones as one list, the newest first. Exported for tests.
 * @param {Run[]} runs
 * @param {Run[]} live
 */
export function mergeRuns(runs, live) {
  const ids = new Set(runs.map((run) => run.id));
  const others = live.filter((run) => !ids.has(run.id));
  return [...runs, ...others].sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1));
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
 * Whether to switch from the current run to `candidate` without a request by the user.
 * @param {Run | null} candidate
 * @param {Run | null} current
 */
export function shouldSwitch(candidate, current) {
  if (!candidate || candidate.id === current?.id) return false;
  return !current?.live || candidate.created > current.created;
}
