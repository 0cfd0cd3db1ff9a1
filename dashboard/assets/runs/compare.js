// A run that is compared with the one on the stage, beside it. It shows the corresponding step.

import { element, icon, ICONS } from "../ui/dom.js";
import { integer } from "../ui/number-text.js";
import { RunStage } from "../stage/run-stage.js";
import { RunStore } from "../playback/run-store.js";
import { correspondingStep } from "./run-difference.js";
import { seek, stepIndex, upcomingSteps } from "../playback/player.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Player } from "../playback/player.js" */

const PREFETCHED_FRAMES = 12;
// Milliseconds for which a replay continues without frames that failed to load.
const FAILURE_MILLISECONDS = 5000;

/**
 * Events: `frame`, `change`, `playback` and `metrics`, as of the compared run's store.
 */
export class ComparedRun extends EventTarget {
  /**
   * @param {Api} api
   * @param {RunStore} runStore of the run on the stage
   * @param {boolean} reducedMotion
   * @param {{openProbe: (probe: number, isByKey?: boolean) => void, changeProbe: (offset: number) => void,
   *   close: () => void}} on as of `RunStage`; `close` is called to end the comparison
   */
  constructor(api, runStore, reducedMotion, on) {
    super();
    this.runStore = runStore;
    this.store = new RunStore(api, reducedMotion);
    this.stage = new RunStage(this.store, on);
    this.stage.title.after(closeButton(on.close));
    /** @type {"step" | "epoch"} */
    this.alignment = "step";
    runStore.loop.isReady = (step) => this.#isReady(step);
    this.store.addEventListener("frame", (event) => {
      const { frame, trail } = /** @type {CustomEvent} */ (event).detail;
      this.stage.draw(frame, trail);
      this.dispatchEvent(new Event("frame"));
    });
    this.store.addEventListener("received", () => this.synchronise());
    for (const name of ["change", "playback", "metrics"]) {
      this.store.addEventListener(name, () => this.dispatchEvent(new Event(name)));
    }
    this.store.addEventListener("change", () => this.synchronise());
  }

  /**
   * Open a run; null closes the present one.
   * @param {string | null} id
   */
  async open(id) {
    if (id === this.store.id) return;
    if (!id) this.store.clear();
    else {
      await this.store.open(id);
      this.synchronise();
    }
  }

  /** The number of steps of the run on the stage that correspond to one of this run. */
  get stretch() {
    const { run, comparedRun } = this.#stepsPerEpoch;
    return this.alignment === "epoch" && run && comparedRun ? run / comparedRun : 1;
  }

  get #stepsPerEpoch() {
    return {
      run: this.runStore.run?.steps_per_epoch ?? null,
      comparedRun: this.store.run?.steps_per_epoch ?? null,
    };
  }

  /** @param {number} step of the run on the stage */
  #correspondingStep(step) {
    const { run, comparedRun } = this.#stepsPerEpoch;
    return correspondingStep(step, this.alignment, run, comparedRun);
  }

  /**
   * Write into the title that this run has no step as late as `step`.
   * @param {number} step
   * @param {Player} player
   */
  #updateNote(step, { steps, live }) {
    const last = steps[steps.length - 1];
    const note = live ? `so far at step ${integer(last)}` : `ended at step ${integer(last)}`;
    this.stage.setNote(step > last ? note : null);
  }

  /** Show the step that corresponds to that of the run on the stage. */
  synchronise() {
    const { runStore, store } = this;
    if (!store.id || store.isPlayingPlaceholder) return;
    if (runStore.isPlayingPlaceholder || runStore.isPlayingLap) return;
    const { player } = runStore;
    store.followExternal(player.mode === "follow" && store.player.live);
    if (player.step === null || !store.player.steps.length) return;
    const step = this.#correspondingStep(player.step);
    const target = seek(store.player, step);
    this.#updateNote(step, store.player);
    if (player.mode === "replay") {
      const upcoming = upcomingSteps(player, PREFETCHED_FRAMES);
      store.playback?.prefetch(
        upcoming.map((upcomingStep) => this.#correspondingStep(upcomingStep)),
      );
    }
    if (target.step === store.player.step && store.player.mode === "paused") return;
    store.updatePlayer(() => target);
    store.loop.drawNow();
  }

  /**
   * Whether a replay of the run on the stage can go to `step`: it waits for both runs' frames, but not
   * for those that fail to load.
   * @param {number} step
   */
  #isReady(step) {
    const { playback, player, isPlayingPlaceholder } = this.store;
    if (!playback || isPlayingPlaceholder || !player.steps.length) return true;
    const { cache } = playback;
    const target = player.steps[stepIndex(player.steps, this.#correspondingStep(step))];
    return cache.has(target) || Date.now() < cache.failedAt + FAILURE_MILLISECONDS;
  }
}

/** @param {() => void} onclick */
function closeButton(onclick) {
  const title = "Close comparison";
  return element(
    "button.stn-button.stn-icon-button.stn-close",
    { type: "button", title, aria: { label: title }, onclick },
    icon(ICONS.wrong),
  );
}
