// The list of runs, asked for again and again while anyone can see it.

import { isLive } from "../ui/text.js";

const INTERVAL = 2000;

export class RunList extends EventTarget {
  constructor(api) {
    super();
    this.api = api;
    this.runs = null; // newest first; null before the first answer
    this.problem = null;
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh());
    this.refresh();
  }

  /** Asks now, and then every two seconds. */
  async refresh() {
    clearTimeout(this.timer);
    const asked = (this.asked = Symbol("asked"));
    try {
      const runs = await this.api.runs();
      if (asked !== this.asked) return;
      this.runs = runs;
      this.problem = null;
    } catch (problem) {
      if (asked !== this.asked) return;
      this.problem = problem;
    }
    this.dispatchEvent(new Event("change"));
    if (!document.hidden) this.timer = setTimeout(() => this.refresh(), INTERVAL);
  }
}

/**
 * The run to show where none is asked for: the newest that is training, else the newest that may
 * still train, else the newest.
 * @param {object[]} runs newest first
 */
export function newestOf(runs) {
  return (
    runs.find((run) => run.status === "running") ??
      runs.find((run) => isLive(run.status)) ??
      runs[0] ??
      null
  );
}

/** Whether to go over from the run `id` to `choice` without being asked to. */
export function isBetter(choice, id, runs) {
  if (!choice || choice.id === id) return false;
  const current = runs.find((run) => run.id === id);
  return !current || !isLive(current.status) || choice.created > current.created;
}
