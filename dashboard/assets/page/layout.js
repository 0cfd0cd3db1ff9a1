// Lays out the viewer's parts in the available width and the window's height. All sizes are CSS pixels.

/** @import { Timeline } from "../controls/timeline.js" */
/** @import { Charts } from "../charts/charts.js" */
/** @import { ComparedRun } from "../runs/compare.js" */
/** @import { RunStage } from "../stage/run-stage.js" */
/** @import { View } from "../ui/view-state.js" */

/**
 * @typedef {object} ViewerParts
 * @property {HTMLElement} element that contains all others
 * @property {HTMLElement} stageSection contains the stages and the controls
 * @property {HTMLElement} stages contains the stages of both runs
 * @property {RunStage} stage
 * @property {ComparedRun} compared
 * @property {HTMLElement} controls
 * @property {Timeline} timeline
 * @property {Charts} charts
 * @property {{isOn: boolean}} presentation of the stage alone
 */

// From this width on the charts are beside the stage, otherwise below it.
const MIN_WIDE_WIDTH = 1000;
const CHARTS_GAP = 20;
const ROW_GAP = 10;
const CHARTS_SHARE = 0.171;
const MIN_CHARTS_WIDTH = 214;
const MAX_CHARTS_WIDTH = 480;
// From this width on every view has the same height, and two runs are side by side; the probes of two
// runs always are.
const MIN_FIXED_WIDTH = 660;
// Controls narrower than this would need more rows, and take height from the stage.
const MIN_CONTROLS_WIDTH = 1012;
const STAGE_GAP = 32;
const NARROW_STAGE_GAP = 16;
// The title above each of two runs.
const TITLE_HEIGHT = 26;
// The least height of the probe tiles of two runs, so that both are seen together with the timeline.
const MIN_COMPARED_TILE_HEIGHT = 68;

/**
 * Lay out a viewer.
 * @param {ViewerParts} viewer
 * @param {View} view
 */
export function layOutViewer(viewer, view) {
  const { clientWidth } = viewer.element;
  if (!clientWidth) return;
  const isWide = clientWidth >= MIN_WIDE_WIDTH && !viewer.presentation.isOn;
  viewer.element.classList.toggle("stn-wide", isWide);
  const charts = Math.min(MAX_CHARTS_WIDTH, Math.max(MIN_CHARTS_WIDTH, CHARTS_SHARE * clientWidth));
  layOutStageSection(viewer, view, clientWidth - (isWide ? charts + CHARTS_GAP : 0));
  const timelineHeight = viewer.timeline.element.offsetHeight;
  viewer.element.style.setProperty("--stn-timeline-height", `${timelineHeight}px`);
  limitCharts(viewer.charts.element, isWide);
  viewer.charts.resize(isWide);
}

/**
 * Let charts beside the stage end with the window, though the legend may be below it.
 * @param {HTMLElement} charts
 * @param {boolean} isWide
 */
function limitCharts(charts, isWide) {
  const top = charts.getBoundingClientRect().top + scrollOffset(charts);
  charts.style.maxHeight = isWide ? `${innerHeight - top}px` : "";
}

/**
 * Lay out the stage and its controls.
 *
 * The controls are as wide as the stage, and the narrower they are the higher, which takes height
 * from the stage. So the stage is laid out with the least height of the controls first, and once more
 * if they need more: the same window always ends in the same layout.
 * @param {ViewerParts} viewer
 * @param {View} view
 * @param {number} width
 */
function layOutStageSection(viewer, view, width) {
  const { controls, stage, element, stageSection: { style } } = viewer;
  const top = stage.element.getBoundingClientRect().top + scrollOffset(element);
  const available = innerHeight - top - 2 * ROW_GAP;
  style.minWidth = `${Math.min(width, MIN_CONTROLS_WIDTH)}px`;
  style.width = `${width}px`;
  const controlsHeight = controls.offsetHeight;
  const fillsWidth = view.kind !== "probes" || view.compare;
  style.width = fillsWidth ? `${width}px` : "";
  const layOut = view.compare ? layOutTwoStages : layOutOneStage;
  layOut(viewer, view, width, available - controlsHeight);
  const needed = controls.offsetHeight;
  if (needed > controlsHeight) layOut(viewer, view, width, available - needed);
}

/**
 * @param {ViewerParts} viewer
 * @param {View} view
 * @param {number} width
 * @param {number} height
 */
function layOutOneStage({ stage }, view, width, height) {
  resizeStages([stage], view, { width, height, isFixed: width >= MIN_FIXED_WIDTH });
}

/**
 * Lay out two runs: side by side where there is space for both, otherwise below each other.
 * @param {ViewerParts} viewer
 * @param {View} view
 * @param {number} width
 * @param {number} height
 */
function layOutTwoStages({ stage, compared, stages }, view, width, height) {
  const isFixed = width >= MIN_FIXED_WIDTH;
  const isSideBySide = isFixed || view.kind === "probes";
  const gap = isFixed ? STAGE_GAP : NARROW_STAGE_GAP;
  stages.classList.toggle("stn-side-by-side", isSideBySide);
  stages.style.setProperty("--stn-stage-gap", `${gap}px`);
  const box = {
    width: isSideBySide ? (width - gap) / 2 : width,
    height: height - TITLE_HEIGHT,
    isFixed,
    minHeight: MIN_COMPARED_TILE_HEIGHT,
  };
  resizeStages([stage, compared.stage], view, box, TITLE_HEIGHT);
}

/**
 * Make every view as high as the probes are, so that nothing below moves when the view changes.
 * @param {RunStage[]} stages
 * @param {View} view
 * @param {{width: number, height: number, isFixed: boolean, minHeight?: number}} box
 * @param {number} titleHeight
 */
function resizeStages(stages, view, { width, height, isFixed, minHeight }, titleHeight = 0) {
  for (const { probes } of stages) probes.resize(width, height, minHeight);
  const full = Math.min(height, Math.max(...stages.map(({ probes }) => probes.fullHeight)));
  for (const stage of stages) {
    stage.element.style.minHeight = isFixed ? `${full + titleHeight}px` : "";
    if (view.kind !== "probes") stage.resize(width, isFixed ? full : height, minHeight);
  }
}

/**
 * Return how far the page is scrolled, in whichever of its elements scrolls.
 * @param {Element} element
 */
function scrollOffset(element) {
  let sum = 0;
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    sum += parent.scrollTop;
  }
  return sum;
}
