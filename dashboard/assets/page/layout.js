// Where the viewer's parts stand and how large they are, in the width there is and the window's height.
// All sizes are CSS pixels.

// From this width on the charts stand beside the stage, else below it.
const WIDE = 1000;
const SIDE_GAP = 20;
const ROW_GAP = 10;
// From this width on the stage keeps its height, whatever fills it, and two runs stand side by side;
// probes of two always do.
const FIXED = 660;
// The controls are at least so wide, where there is room: narrower they would take the stage's height.
const CONTROLS = 1012;
const BETWEEN = 32;
const BETWEEN_NARROW = 16;
// The line above each of two runs that names it.
const HEADLINE = 26;
// Their pairs may be so low, so that both can be seen with the timeline.
const LEAST = 68;

/**
 * Fits a viewer.
 * @param {{element: Element, controls: Element, runsShown: Element, side: RunStage, beside: Beside,
 *   charts: Charts}} viewer
 * @param {object} view what of it is looked at
 */
export function fitViewer(viewer, view) {
  const { clientWidth } = viewer.element;
  if (!clientWidth) return;
  const wide = clientWidth >= WIDE;
  viewer.element.classList.toggle("stn-wide", wide);
  const charts = wide ? Math.min(480, Math.max(214, 0.171 * clientWidth)) + SIDE_GAP : 0;
  fitStage(viewer, view, clientWidth - charts);
  viewer.charts.resize(wide);
}

// The controls are as wide as the stage, and the narrower the higher; their height is room that the
// stage has not. So it is fitted with the least that they can need and, where they turn out to need
// more, once again: the same room always ends in the same layout.
function fitStage(viewer, view, width) {
  const { controls, side, element } = viewer;
  const top = side.element.getBoundingClientRect().top + scrolled(element);
  const room = innerHeight - top - 2 * ROW_GAP;
  const { style } = controls.parentElement;
  style.minWidth = `${Math.min(width, CONTROLS)}px`;
  style.width = `${width}px`;
  const least = controls.offsetHeight;
  const grown = view.kind !== "probes" || view.compare;
  style.width = grown ? `${width}px` : "";
  const fit = view.compare ? fitTwo : fitOne;
  fit(viewer, view, width, room - least);
  const needed = controls.offsetHeight;
  if (needed > least) fit(viewer, view, width, room - needed);
}

// Whatever fills the stage is as high as its probes are, so that nothing below it moves.
function fitOne({ side }, view, width, height) {
  fitSides([side], view, { width, height, fixed: width >= FIXED });
}

// Two runs stand side by side where there is room for both, else below each other.
function fitTwo({ side, beside, runsShown }, view, width, height) {
  const fixed = width >= FIXED;
  const abreast = fixed || view.kind === "probes";
  const between = fixed ? BETWEEN : BETWEEN_NARROW;
  runsShown.classList.toggle("stn-side-by-side", abreast);
  runsShown.style.setProperty("--stn-between", `${between}px`);
  const across = abreast ? (width - between) / 2 : width;
  const room = { width: across, height: height - HEADLINE, fixed, least: LEAST };
  fitSides([side, beside.side], view, room, HEADLINE);
}

function fitSides(sides, view, { width, height, fixed, least }, above = 0) {
  for (const { probes } of sides) probes.resize(width, height, least);
  const full = Math.min(height, Math.max(...sides.map(({ probes }) => probes.fullHeight)));
  for (const side of sides) {
    side.element.style.minHeight = fixed ? `${full + above}px` : "";
    if (view.kind !== "probes") side.resize(width, fixed ? full : height, least);
  }
}

// How far the page has been scrolled, in whichever element scrolls it.
function scrolled(element) {
  let sum = 0;
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    sum += parent.scrollTop;
  }
  return sum;
}
