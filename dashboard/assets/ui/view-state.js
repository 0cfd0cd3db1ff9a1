// How a run is viewed: the page's address contains it besides the run and the step. Pure.

/**
 * @typedef {"probes" | "probe" | "summary"} ViewKind what fills the stage: all probes, one of them,
 *   or their mean output and the distribution of their regions
 */

/**
 * Whether each layer is drawn.
 * @typedef {object} Layers
 * @property {boolean} dots corners of the region
 * @property {boolean} outline of the region
 * @property {boolean} mesh the sampling grid within the region
 * @property {boolean} trail where the corners were over the last epoch
 * @property {boolean} inverse each output pasted back where it was sampled
 * @property {boolean} outputs nothing but the outputs
 */

/**
 * @typedef {object} View
 * @property {ViewKind} kind
 * @property {number} probe the one that is shown alone
 * @property {Layers} layers
 * @property {number} speed of a replay
 * @property {"two" | "all"} charts which ones are shown
 * @property {string | null} compare id of a second run
 * @property {"step" | "epoch"} alignment what two runs are aligned by
 */

/** @type {ViewKind[]} */
const KINDS = ["probes", "probe", "summary"];
/** @type {View["alignment"][]} */
const ALIGNMENTS = ["step", "epoch"];
/** @type {View["charts"][]} */
const CHART_SETS = ["two", "all"];
export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];

/**
 * The default layers.
 * @type {Layers}
 */
export const DEFAULT_LAYERS = {
  dots: true,
  outline: true,
  mesh: false,
  trail: false,
  inverse: false,
  outputs: false,
};

export const LAYER_NAMES = /** @type {(keyof Layers)[]} */ (Object.keys(DEFAULT_LAYERS));

/**
 * Exported for tests.
 * @type {View}
 */
export const DEFAULT_VIEW = {
  kind: "probes",
  probe: 0,
  layers: DEFAULT_LAYERS,
  speed: 1,
  charts: "two",
  compare: null,
  alignment: "step",
};

/**
 * Return the view with one layer switched on or off.
 * @param {View} view
 * @param {keyof Layers} layer
 * @returns {View}
 */
export function toggleLayer(view, layer) {
  return { ...view, layers: { ...view.layers, [layer]: !view.layers[layer] } };
}

/**
 * Return the view in an address; missing and invalid values are replaced by defaults.
 * @param {URLSearchParams} query
 * @returns {View}
 */
export function readView(query) {
  /**
   * @template T
   * @param {string} name
   * @param {T[]} choices
   * @param {T} fallback
   */
  const oneOf = (name, choices, fallback) =>
    choices.find((choice) => String(choice) === query.get(name)) ?? fallback;
  return {
    kind: oneOf("view", KINDS, DEFAULT_VIEW.kind),
    probe: readInteger(query.get("probe")) ?? DEFAULT_VIEW.probe,
    layers: readLayers(query.get("layers")),
    speed: oneOf("speed", SPEEDS, DEFAULT_VIEW.speed),
    charts: oneOf("charts", CHART_SETS, DEFAULT_VIEW.charts),
    compare: query.get("compare") || null,
    alignment: oneOf("by", ALIGNMENTS, DEFAULT_VIEW.alignment),
  };
}

/**
 * Return the step in an address; null if there is none.
 * @param {URLSearchParams} query
 */
export const readStep = (query) => readInteger(query.get("step"));

/**
 * Whether an address opens a run's closing lap.
 * @param {URLSearchParams} query
 */
export const readLap = (query) => query.get("lap") === "1";

/**
 * Return a view as parameters of an address; null for those that are left out.
 * @param {View} view
 * @param {{step?: number | null, lap?: boolean}} at the step at which the player is paused, and
 *   whether the closing lap is played
 * @returns {Record<string, string | null>}
 */
export function viewQuery(view, { step = null, lap = false } = {}) {
  /** @type {<T>(value: T, defaultValue: T) => string | null} */
  const unlessDefault = (value, defaultValue) => value === defaultValue ? null : String(value);
  const drawn = LAYER_NAMES.filter((layer) => view.layers[layer]);
  const drawnByDefault = LAYER_NAMES.filter((layer) => DEFAULT_LAYERS[layer]);
  return {
    step: step === null ? null : String(step),
    lap: lap ? "1" : null,
    view: unlessDefault(view.kind, DEFAULT_VIEW.kind),
    probe: view.kind === "probe" ? String(view.probe) : null,
    layers: unlessDefault(drawn.join("."), drawnByDefault.join(".")),
    speed: unlessDefault(view.speed, DEFAULT_VIEW.speed),
    charts: unlessDefault(view.charts, DEFAULT_VIEW.charts),
    compare: view.compare,
    by: view.compare ? unlessDefault(view.alignment, DEFAULT_VIEW.alignment) : null,
  };
}

/**
 * @param {string | null} text
 * @returns {Layers}
 */
function readLayers(text) {
  const drawn = text?.split(".") ?? [];
  if (text !== "" && !drawn.some((name) => name in DEFAULT_LAYERS)) return DEFAULT_LAYERS;
  const layers = { ...DEFAULT_LAYERS };
  for (const name of LAYER_NAMES) layers[name] = drawn.includes(name);
  return layers;
}

/** @param {string | null} text */
const readInteger = (text) => (/^\d{1,12}$/.test(text ?? "") ? Number(text) : null);
