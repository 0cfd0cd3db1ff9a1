// The viewer: the stage, its controls, the charts and the panels, connected to one run's store, and a
// second run to compare with.

import { AddPicture } from "../controls/add-picture.js";
import { Charts } from "../charts/charts.js";
import { ComparedRun } from "../runs/compare.js";
import { CopyLink } from "./copy-link.js";
import { createShortcutsPanel, handleKey } from "../controls/shortcuts.js";
import { DifferenceTable } from "../runs/difference-table.js";
import { element, setText } from "../ui/dom.js";
import { ExportPanel } from "../controls/export-panel.js";
import { layOutViewer } from "./layout.js";
import { LearningRatesPanel } from "../controls/live-settings.js";
import { legendText } from "../ui/frame-text.js";
import { Navigation } from "./navigation.js";
import { Readout, StatusLines } from "../controls/status.js";
import { Presentation } from "./presentation.js";
import { tabLink } from "../ui/tab-link.js";
import { RunControls } from "../controls/run-controls.js";
import { RunStage } from "../stage/run-stage.js";
import { RunStore } from "../playback/run-store.js";
import { StepPhases } from "../controls/step-phases.js";
import { Timeline } from "../controls/timeline.js";
import { viewerRefusal } from "../protocol/access.js";
import { viewKeys, ViewToolbar } from "../controls/view-toolbar.js";
import { prefersReducedMotion } from "../ui/reduced-motion.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { Tabs } from "./tabs.js" */
/** @import { RunList } from "../playback/run-list.js" */
/** @import { View } from "../ui/view-state.js" */

// Milliseconds between two updates of the last frame's age.
const STATUS_INTERVAL = 1000;

const INTRO =
  "A network learns which region to sample: the white frame is the region in the input, and beside it is the output.";

export class Viewer {
  /**
   * @param {Api} api
   * @param {RunList} list
   * @param {Tabs} tabs
   * @param {(id: string) => void} open called with the id of a run that was started here
   */
  constructor(api, list, tabs, open) {
    this.tabs = tabs;
    const reducedMotion = prefersReducedMotion();
    const store = (this.store = new RunStore(api, reducedMotion));
    /** @type {Navigation} */
    this.navigation = new Navigation(store, list, tabs, {
      getView: () => this.view,
      setView: (view) => this.setView(view),
      runChanged: () => this.status.setProblem(null),
    });
    /** @type {View} */
    this.view = this.navigation.initialView;
    /** @type {(offset: number) => void} */
    const changeProbe = (offset) => this.#changeProbe(offset);
    /** @param {() => RunStage} stage */
    const openOn = (stage) => (/** @type {number} */ probe, isByKey = false) => {
      if (this.exportPanel.isPicking) return this.exportPanel.toggleProbe(probe);
      this.setView({ ...this.view, kind: "probe", probe });
      if (isByKey) stage().focus(probe);
    };
    /** @type {RunStage} */
    this.stage = new RunStage(store, { changeProbe, openProbe: openOn(() => this.stage) });
    /** @type {ComparedRun} */
    this.compared = new ComparedRun(api, store, reducedMotion, {
      changeProbe,
      openProbe: openOn(() => this.compared.stage),
      close: () => this.setView({ ...this.view, compare: null }),
    });
    this.differences = new DifferenceTable((alignment) =>
      this.setView({ ...this.view, alignment })
    );
    this.toolbar = new ViewToolbar(() => this.view, (view) => this.setView(view));
    this.readout = new Readout();
    this.status = new StatusLines(store);
    this.copyLink = new CopyLink(api, () => this.navigation.replaceAddress());
    this.presentation = new Presentation(() => this.resize());
    this.timeline = new Timeline(store, (speed) => this.setView({ ...this.view, speed }));
    /** @type {(problem: Error | null) => void} */
    const setProblem = (problem) => this.status.setProblem(problem);
    this.runControls = new RunControls(store, setProblem, open);
    this.addPicture = new AddPicture(store, this.stage.element, setProblem);
    this.phases = new StepPhases((phase) => (this.stage.element.dataset.phase = phase ?? ""));
    this.charts = new Charts(
      (step) => store.seek(step),
      (isFolded) => this.setView({ ...this.view, charts: isFolded ? "two" : "all" }),
    );
    this.exportPanel = new ExportPanel(
      store,
      () => this.view,
      (picked) => this.stage.probes.setPicked(picked),
    );
    this.learningRates = new LearningRatesPanel(store);
    this.legendText = element("span", {}, legendText());
    this.legend = element(
      "p.stn-legend",
      {},
      this.legendText,
      " ",
      tabLink("how", "How it works"),
    );
    this.controls = element(
      "div.stn-controls",
      {},
      element(
        "div.stn-status",
        {},
        this.readout.element,
        this.status.element,
      ),
      this.differences.element,
      this.timeline.element,
      this.runControls.element,
    );
    this.stages = element("div.stn-stages", {}, this.stage.element);
    this.intro = element("p.stn-intro", {}, `${INTRO} `, tabLink("how", "How it works"));
    this.stageSection = this.#createStageSection();
    this.element = element(
      "div.stn-viewer",
      {},
      this.stageSection,
      this.charts.element,
      this.#createPanels(),
    );
    this.#listen();
    this.setView(this.view);
    this.update();
  }

  #createStageSection() {
    const section = element(
      "section.stn-stage-section",
      {},
      this.toolbar.element,
      this.intro,
      this.stages,
      this.controls,
      // Messages and phases take the legend's place, so that no control moves.
      this.status.message,
      this.phases.element,
      this.legend,
    );
    section.setAttribute("aria-label", "Stage");
    return section;
  }

  #createPanels() {
    return element(
      "div.stn-panels",
      {},
      this.exportPanel.element,
      this.learningRates.element,
      this.addPicture.element,
      createShortcutsPanel(),
      this.presentation.button,
      this.copyLink.element,
    );
  }

  /**
   * Show a run, as a new entry of the browser's history.
   * @param {string} id
   */
  goTo(id) {
    if (this.isShown) this.navigation.goTo(id);
    else {
      // One entry: back from there leads to the tab that was left.
      this.tabs.replaceAddress("watch", { run: id });
      this.tabs.go("watch");
      this.navigation.pin(id);
    }
    this.scrollIntoView();
  }

  /**
   * Show a run beside the current one.
   * @param {string} id
   */
  compare(id) {
    this.tabs.go("watch");
    this.setView({ ...this.view, compare: id });
    this.scrollIntoView();
  }

  /** Whether the stage is the tab that is shown. */
  get isShown() {
    return this.tabs.current === "watch";
  }

  #showOrHide() {
    for (const store of [this.store, this.compared.store]) store.setHidden(!this.isShown);
    if (this.isShown) this.resize();
    else this.presentation.end();
  }

  /** Scroll back to the stage if the page is scrolled past it. */
  scrollIntoView() {
    if (this.element.getBoundingClientRect().top < 0) this.element.scrollIntoView();
  }

  /**
   * Change the view.
   * @param {View} view
   */
  setView(view) {
    const hadFocus = this.element.contains(document.activeElement);
    this.view = view;
    this.store.loop.speed = view.speed;
    this.stage.setView(view);
    this.charts.setFolded(view.charts === "two");
    this.#updateCompared(view);
    this.toolbar.update(this.#hasTransformer);
    this.timeline.update();
    this.resize();
    this.stage.redraw();
    this.compared.stage.redraw();
    // The element that had the focus may have been removed.
    if (hadFocus && !this.element.contains(document.activeElement)) this.stage.focus(view.probe);
    this.navigation.updateAddress();
    this.exportPanel.viewChanged();
  }

  /** Read the theme's colours again. */
  updateTheme() {
    this.charts.updateTheme();
  }

  /** Lay out all parts in the available width and, where possible, the window's height. */
  resize() {
    layOutViewer(this, this.view);
  }

  /** @param {View} view */
  #updateCompared(view) {
    const { compared } = this;
    compared.alignment = view.alignment;
    compared.stage.setView(view);
    compared.open(view.compare);
    compared.synchronise();
    const isComparing = Boolean(view.compare);
    this.differences.element.hidden = !isComparing;
    if (isComparing) this.stages.append(compared.stage.element);
    else compared.stage.element.remove();
    const [grid, comparedGrid] = [this.stage.probes, compared.stage.probes];
    grid.alignWith(isComparing ? comparedGrid : null);
    comparedGrid.alignWith(isComparing ? grid : null);
    this.element.classList.toggle("stn-comparing", isComparing);
    this.#updateDifferences();
  }

  /** Draw the compared run's curves, and the differences. */
  #updateDifferences() {
    const { compared, store, view } = this;
    if (!view.compare) return this.charts.compare(null);
    const comparedStore = compared.store;
    if (comparedStore.runPlayback) {
      const { metrics } = comparedStore.runPlayback;
      const info = comparedStore.frame?.info;
      this.charts.compare({ metrics, stretch: compared.stretch, info });
    }
    this.differences.setRuns(store.run, comparedStore.run, view.alignment);
    if (store.frame && comparedStore.frame) {
      this.differences.setFrames(store.frame, comparedStore.frame);
    }
  }

  /** Whether the network has a transformer, which is assumed before the first frame. */
  get #hasTransformer() {
    return this.store.frame?.info.transformers.length !== 0;
  }

  /**
   * Show the probe `offset` positions after the current one; the first one follows the last.
   * @param {number} offset
   */
  #changeProbe(offset) {
    const count = this.store.frame?.tensors.input.shape[0] ?? 1;
    const probe = (Math.min(this.view.probe, count - 1) + offset + count) % count;
    this.setView({ ...this.view, probe });
  }

  #listen() {
    const { store, compared } = this;
    store.addEventListener("frame", (event) => {
      const { frame, trail } = /** @type {CustomEvent} */ (event).detail;
      this.#draw(frame, trail);
    });
    store.addEventListener("change", () => this.update());
    store.addEventListener("playback", () => {
      if (store.playback) this.charts.open(store.playback.metrics, store.run);
    });
    store.addEventListener("metrics", () => {
      this.charts.metricsChanged();
      this.timeline.update();
    });
    compared.addEventListener("frame", () => {
      this.#updateDifferences();
      // While paused no frame of this run follows, which would draw the values anew.
      if (store.player.mode === "paused") this.charts.redrawCursor();
    });
    compared.addEventListener("change", () => {
      if (compared.store.run?.deleted) this.setView({ ...this.view, compare: null });
      else this.#updateDifferences();
    });
    compared.addEventListener("metrics", () => this.charts.metricsChanged());
    setInterval(() => this.status.update(), STATUS_INTERVAL);
    const keys = {
      ...viewKeys(() => this.view, (view) => this.setView(view)),
      // A run that has ended is not resumed by a key that may be pressed by mistake.
      p: () => this.runControls.send("pause", ...(store.run?.live ? ["resume"] : [])),
      s: () => this.runControls.send("step"),
      f: () => this.presentation.toggle(),
      "[": () => this.#changeProbe(-1),
      "]": () => this.#changeProbe(1),
    };
    document.addEventListener("keydown", (event) => {
      if (this.isShown) handleKey(store, keys, event);
    });
    this.tabs.addEventListener("change", () => this.#showOrHide());
    this.#showOrHide();
    const resize = () => this.resize();
    new ResizeObserver(resize).observe(this.element);
    addEventListener("resize", resize);
  }

  /**
   * @param {Frame} frame
   * @param {Frame[]} trail
   */
  #draw(frame, trail) {
    const { store } = this;
    this.stage.draw(frame, trail);
    this.compared.synchronise();
    if (this.view.compare) this.#updateDifferences();
    const legend = legendText(frame.info);
    if (legend !== this.legendText.textContent) {
      setText(this.legendText, legend);
      this.toolbar.update(this.#hasTransformer);
    }
    const { mode } = store.player;
    this.readout.update(frame, store.shownRun, mode !== "paused");
    this.timeline.update();
    this.charts.moveCursor(frame.info);
    this.element.dataset.run = store.playback?.cache.id;
    // For tests and benchmarks; `time` is when the step was done, in seconds since 1970.
    const detail = { step: frame.info.step, time: frame.info.time, mode };
    this.element.dispatchEvent(new CustomEvent("stnscope:paint", { bubbles: true, detail }));
    this.charts.stagePainted();
    this.phases.startStep();
    if (mode === "paused") this.navigation.updateAddress();
  }

  /** Show the run's status, and enable what is allowed. */
  update() {
    const { store } = this;
    const { run, player, isPlayingPlaceholder, shownRun } = store;
    this.element.classList.toggle("stn-viewing-only", viewerRefusal() !== null);
    this.element.dataset.mode = isPlayingPlaceholder ? "placeholder" : player.mode;
    this.timeline.update();
    this.runControls.update();
    this.status.update();
    this.exportPanel.update();
    this.learningRates.update();
    this.charts.setRun(shownRun);
    const probes = shownRun?.probes ?? 0;
    // A link may name a probe that does not exist.
    if (probes && this.view.probe >= probes) this.setView({ ...this.view, probe: probes - 1 });
    const isTraining = player.mode === "follow" && run?.running && !isPlayingPlaceholder;
    const stepSeconds = isTraining ? (run.settings?.slow_motion ?? 0) : 0;
    this.phases.setStepDuration(stepSeconds, this.#hasTransformer);
    const isMissing = Boolean(store.problem) && !store.frame;
    this.legend.hidden = !this.phases.element.hidden || isMissing;
    this.navigation.updateAddress();
  }
}
