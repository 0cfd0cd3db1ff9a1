// How a run is looked at: what a link carries besides the run and the step. Pure.
//
// A view is {sight, probe, layers, speed, beside, by}: `sight` what fills the stage, `probe` the one
// that is looked at alone, `layers` what is drawn (see LAYERS), `speed` of a replay, `beside` the id
// of a second run, `by` what two runs share: the step or the epoch.

const VIEWS = ["probes", "probe", "summary"];

// What is drawn, and whether it is at first.
export const LAYERS = {
  dots: true, // the corners of the region
  outline: true, // its edge
  mesh: false, // the lattice of the sampling grid within it
  trail: false, // where the corners were over the last epoch
  inverse: false, // the output pasted back where it came from
  outputs: false, // nothing but the outputs
};

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
const MEASURES = ["step", "epoch"];

// Exported for tests.
export const DEFAULT_VIEW = {
  kind: "probes",
  probe: 0,
  layers: LAYERS,
  speed: 1,
  compare: null,
  by: "step",
};

/** The view with one layer toggleLayer. */
export function toggleLayer(view, layer) {
  return { ...view, layers: { ...view.layers, [layer]: !view.layers[layer] } };
}

/**
 * The view that an address asks for. What it does not say, or says wrongly, is as at first.
 * @param {URLSearchParams} query
 */
export function readView(query) {
  const among = (name, choices, other) => {
    const found = choices.find((choice) => String(choice) === query.get(name));
    return found ?? other;
  };
  return {
    kind: among("view", VIEWS, DEFAULT_VIEW.kind),
    probe: wholeNumber(query.get("probe")) ?? DEFAULT_VIEW.probe,
    layers: readLayers(query.get("layers")),
    speed: among("speed", SPEEDS, DEFAULT_VIEW.speed),
    compare: query.get("compare") || null,
    by: among("by", MEASURES, DEFAULT_VIEW.by),
  };
}

/** The step that an address asks for; null where it follows. */
export const readStep = (query) => wholeNumber(query.get("step"));

/** Whether an address asks for a run's closing lap. */
export const readLap = (query) => query.get("lap") === "1";

/**
 * What an address says of a view: names and values, null where nothing needs to be said.
 * @param {{step?: number | null, lap?: boolean}} at the step that is held, null where the view moves;
 *   whether the closing lap is played
 */
export function viewQuery(view, { step = null, lap = false } = {}) {
  const unless = (value, first) => (value === first ? null : String(value));
  const on = Object.keys(LAYERS).filter((layer) => view.layers[layer]);
  const first = Object.keys(LAYERS).filter((layer) => LAYERS[layer]);
  return {
    step: step === null ? null : String(step),
    lap: lap ? "1" : null,
    view: unless(view.kind, DEFAULT_VIEW.kind),
    probe: view.kind === "probe" ? String(view.probe) : null,
    layers: unless(on.join("."), first.join(".")),
    speed: unless(view.speed, DEFAULT_VIEW.speed),
    compare: view.compare,
    by: view.compare ? unless(view.by, DEFAULT_VIEW.by) : null,
  };
}

function readLayers(text) {
  const on = text?.split(".") ?? [];
  if (text !== "" && !on.some((layer) => layer in LAYERS)) return LAYERS;
  return Object.fromEntries(Object.keys(LAYERS).map((layer) => [layer, on.includes(layer)]));
}

const wholeNumber = (text) => (/^\d{1,12}$/.test(text ?? "") ? Number(text) : null);
