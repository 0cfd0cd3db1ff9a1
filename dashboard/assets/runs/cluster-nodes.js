// The nodes of the cluster that trains the runs: what each trains, and which runs wait for resources.

import { runTitle } from "../ui/run-text.js";
import { element, setText } from "../ui/dom.js";

/** @import { Cluster, ClusterRun, Run } from "../protocol/types.js" */

// Waiting runs that are named; of the others there is only a number.
const LISTED_WAITING = 10;

export class ClusterNodes {
  /** @param {(id: string) => void} open shows a run on the stage */
  constructor(open) {
    this.open = open;
    this.shown = ""; // what is listed, as text
    this.address = element("span.stn-muted");
    this.refusal = element("p.stn-cluster-refusal", { hidden: true });
    this.nodes = element("ul.stn-nodes");
    this.waiting = element("p.stn-cluster-waiting", { hidden: true });
    this.unfit = element("p.stn-cluster-unfit", { hidden: true }); // for a node that must join
    this.element = element(
      "section",
      { hidden: true },
      element("h4", {}, "Cluster ", this.address),
      this.refusal,
      this.nodes,
      this.waiting,
      this.unfit,
    );
  }

  /**
   * @param {Cluster} cluster
   * @param {Run[]} runs for the titles of those that are listed
   */
  update(cluster, runs) {
    this.element.hidden = cluster.address === null;
    const titles = new Map(runs.map((run) => [run.id, runTitle(run)]));
    const shown = JSON.stringify([cluster, [...titles]]);
    if (shown === this.shown) return;
    this.shown = shown;
    setText(this.address, cluster.address ?? "");
    setText(this.refusal, cluster.refusal ?? "");
    this.refusal.hidden = cluster.refusal === null;
    /** @type {(each: ClusterRun) => HTMLElement} */
    const link = (each) => this.#link(each.run, titles.get(each.run) ?? each.run);
    this.nodes.replaceChildren(...cluster.nodes.map((node) => {
      const used = node.runs.reduce((sum, each) => sum + each.cpus, 0);
      const gpus = node.runs.reduce((sum, each) => sum + each.gpus, 0);
      const parts = [node.cpus ? `${used} of ${node.cpus} CPUs` : "no CPU for runs"];
      if (node.gpus) parts.push(`${gpus} of ${node.gpus} GPUs`);
      const filled = element("span.stn-filled");
      filled.style.width = `${node.cpus ? Math.min(100, (100 * used) / node.cpus) : 0}%`;
      return element(
        "li.stn-node",
        {},
        element("span.stn-node-name", { title: node.id }, node.name),
        element("span.stn-node-bar", { aria: { hidden: "true" } }, filled),
        element("span.stn-muted", {}, parts.join(", ")),
        element("span.stn-node-runs", {}, ...node.runs.map(link)),
      );
    }));
    list(this.waiting, "for resources", cluster.waiting.filter((each) => each.fits), link);
    const unfit = cluster.waiting.filter((each) => !each.fits);
    const needs = [...new Set(unfit.map(describeNeeds))].join(", or ");
    list(this.unfit, `for a node with ${needs}, which the cluster does not have`, unfit, link);
  }

  /**
   * @param {string} id
   * @param {string} title
   */
  #link(id, title) {
    const link = element("a.stn-node-run", { href: `?run=${encodeURIComponent(id)}` }, title);
    link.title = id;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.open(id);
    };
    return link;
  }
}

/**
 * Lists runs that wait.
 * @param {HTMLElement} paragraph
 * @param {string} what they wait for
 * @param {ClusterRun[]} waiting
 * @param {(each: ClusterRun) => HTMLElement} link
 */
function list(paragraph, what, waiting, link) {
  const count = waiting.length;
  paragraph.hidden = count === 0;
  paragraph.replaceChildren(
    `${count} ${count === 1 ? "run waits" : "runs wait"} ${what}:`,
    ...waiting.slice(0, LISTED_WAITING).map(link),
    count > LISTED_WAITING ? `and ${count - LISTED_WAITING} more` : "",
  );
}

/** @param {ClusterRun} run */
function describeNeeds({ cpus, gpus }) {
  return `${cpus} CPU${cpus > 1 ? "s" : ""}${gpus ? " and a GPU" : ""}`;
}
