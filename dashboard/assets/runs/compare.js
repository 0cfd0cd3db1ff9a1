// A second run beside the one that is looked at, led by that one's cursor.

import { element, icon, ICONS, setText } from "../ui/dom.js";
import { differences, stepBeside } from "./run-difference.js";
import * as play from "../run/player.js";
import { RunStage } from "../stage/run-stage.js";
import { Watch } from "../run/run-store.js";
import { distinctTitles, integer, runTitle } from "../ui/text.js";

const PREPARED = 12;
// Milliseconds between two changes of the numbers.
const READ_IN = 150;
// How long a replay goes on without frames that could not be had.
const PATIENCE = 5000;

export class Beside extends EventTarget {
  /**
   * @param {Watch} leader of the run that leads
   * @param {object} on as of `RunStage`
   */
  constructor(api, leader, calm, on) {
    super();
    this.leader = leader;
    this.watch = new Watch(api, calm);
    this.side = new RunStage(this.watch, on);
    this.side.title.after(closeButton(on.close));
    this.by = "step";
    leader.awaits = (step) => this.#has(step);
    this.watch.addEventListener("frame", ({ detail }) => {
      this.side.draw(detail.frame, detail.past);
      this.dispatchEvent(new Event("frame"));
    });
    this.watch.addEventListener("arrival", () => this.lead());
    for (const name of ["change", "reel", "metrics"]) {
      this.watch.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    }
    this.watch.addEventListener("change", () => this.lead());
  }

  get id() {
    return this.watch.id;
  }

  /** Puts the run `id` beside the other one; none without one. */
  async open(id) {
    if (id === this.id) return;
    if (!id) this.watch.clear();
    else {
      await this.watch.open(id);
      this.lead();
    }
  }

  /** How much longer the leading run's epochs are, where the two share epochs; else 1. */
  get stretch() {
    const [each, other] = [this.leader.run, this.watch.run].map((run) => run?.steps_per_epoch);
    return this.by === "epoch" && each && other ? each / other : 1;
  }

  #beside(step) {
    const [each, other] = [this.leader.run, this.watch.run].map(
      (run) => run?.steps_per_epoch ?? null,
    );
    return stepBeside(step, this.by, each, other);
  }

  // Whether it is not as far as the leading run, and why.
  #tellShort(step, { steps, live }) {
    const last = integer(steps.at(-1));
    const note = live ? `so far at step ${last}` : `ended at step ${last}`;
    this.side.setNote(step > steps.at(-1) ? note : null);
  }

  /** Goes to where the leading run's cursor is. */
  lead() {
    const { leader, watch } = this;
    if (!watch.id || watch.waiting || leader.waiting || leader.onLap) return;
    const { player } = leader;
    watch.beLed(player.mode === "follow" && watch.player.live);
    if (player.at === null || !watch.player.steps.length) return;
    const step = this.#beside(player.at);
    const wanted = play.seek(watch.player, step);
    this.#tellShort(step, watch.player);
    if (player.mode === "replay") {
      watch.prepare(play.ahead(player, PREPARED).map((step) => this.#beside(step)));
    }
    if (wanted.at === watch.player.at && watch.player.mode === "hold") return;
    watch.act(() => wanted);
    watch.showNow();
  }

  // A replay waits for both runs, but not for one whose frames do not come.
  #has(step) {
    const { reel, player, waiting } = this.watch;
    if (!reel || waiting || !player.steps.length) return true;
    const { recording } = reel;
    const at = player.steps[play.indexOf(player.steps, this.#beside(step))];
    return recording.has(at) || Date.now() < recording.failed + PATIENCE;
  }
}

function closeButton(onclick) {
  const words = { type: "button", title: "Compare no more", aria: { label: "Compare no more" } };
  return element("button.stn-button.stn-round.stn-close", { ...words, onclick }, icon(ICONS.wrong));
}

/** The two runs' names, and their difference in numbers. */
export class Difference {
  /** @param {{by: (by: string) => void}} on what was chosen */
  constructor(on) {
    this.names = [element("span"), element("span")];
    this.rows = {};
    this.body = element("tbody");
    const [one, other] = this.names.map((name, place) =>
      element("th", { scope: "col", data: { run: place + 1 } }, name)
    );
    const corner = element("td");
    const head = element(
      "tr",
      {},
      corner,
      one,
      other,
      element("th", { scope: "col" }, "Difference"),
    );
    this.table = element("table.stn-differences", {}, element("thead", {}, head), this.body);
    this.by = element("select.stn-entry", { title: "What the two share" });
    this.by.append(
      element("option", { value: "step" }, "by step"),
      element("option", { value: "epoch" }, "by epoch"),
    );
    this.by.setAttribute("aria-label", "Compare by");
    this.by.onchange = () => on.by(this.by.value);
    corner.append(this.by);
    this.element = element("section.stn-comparison", {}, this.table);
    this.element.setAttribute("aria-label", "Comparison");
  }

  name(runs, by) {
    this.by.value = by;
    const short = runs.every(Boolean) ? distinctTitles(...runs) : [];
    runs.forEach((run, place) => {
      const title = run ? runTitle(run) : "…";
      setText(this.names[place], short[place] ?? title);
      this.names[place].title = title;
    });
  }

  /** Tells how two frames differ; while they move, no more often than can be read. */
  show(one, other) {
    this.frames = [one, other];
    this.telling ??= setTimeout(
      () => {
        this.telling = null;
        this.told = Date.now();
        this.#tell(...this.frames);
      },
      Math.max(0, (this.told ?? 0) + READ_IN - Date.now()),
    );
  }

  #tell(one, other) {
    for (const { name, title, values, difference } of differences(one, other)) {
      this.rows[name] ??= this.#row();
      [title, ...values, difference].forEach((text, place) =>
        setText(this.rows[name][place], text)
      );
    }
  }

  #row() {
    const cells = [
      element("th", { scope: "row" }),
      ...Array.from({ length: 3 }, () => element("td")),
    ];
    this.body.append(element("tr", {}, ...cells));
    return cells;
  }
}
