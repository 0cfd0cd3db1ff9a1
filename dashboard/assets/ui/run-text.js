// A run, its configuration and its state as text. Pure.

import { defaultConfig } from "../protocol/catalog.js";

/** @import { Run, RunConfig } from "../protocol/types.js" */

/**
 * Whether a run's recording cannot be read; its error has the reason.
 * @param {Run} run
 */
export const isFaulty = (run) => run.config === null;

/** @param {Run} run */
const titleParts = (run) => (run.name ? [run.name] : configTitleParts(run));

/** @param {Run} run */
const configTitleParts = (run) => {
  if (isFaulty(run)) return [run.id];
  // Only the time distinguishes one watched run from the next.
  return run.watched
    ? [run.config.model ?? "", dateTime.format(1000 * run.created)]
    : configParts(run);
};

const dateTime = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** @param {Run} run */
const configParts = ({ config, transformers }) => [
  config.dataset,
  ...(config.architecture === config.dataset ? [] : [config.architecture]),
  ...(config.distortion.name === defaultConfig()?.distortion.name ? [] : [config.distortion.name]),
  // A network without transformers has no family.
  ...(transformers === 0 ? [] : [config.family]),
  `seed ${config.seed}`,
];

/**
 * Return a run's configuration in short.
 * @param {Run} run
 */
export const configTitle = (run) => configTitleParts(run).join(", ");

/**
 * Return a run's title: its name or, without one, its configuration in short.
 * @param {Run} run
 */
export const runTitle = (run) => titleParts(run).join(", ");

/**
 * Return titles of two runs: the parts in which they differ, if both have some.
 * @param {Run} run
 * @param {Run} comparedRun
 */
export function distinctTitles(run, comparedRun) {
  const [parts, comparedParts] = [titleParts(run), titleParts(comparedRun)];
  const distinct = parts.filter((part) => !comparedParts.includes(part));
  const comparedDistinct = comparedParts.filter((part) => !parts.includes(part));
  if (!distinct.length || !comparedDistinct.length) return [runTitle(run), runTitle(comparedRun)];
  return [distinct.join(", "), comparedDistinct.join(", ")];
}

/**
 * Return an error message of the server, with a field's name replaced by its title on the page.
 * @param {string} message
 * @param {Record<string, string>} titles by field
 */
export const withFieldTitles = (message, titles) =>
  message.replace(/^\w+/, (name) => titles[name] ?? name);

/**
 * Return the settings of training and sampling that differ from the defaults.
 * @param {RunConfig} config a recorded one may lack some settings
 * @param {Required<RunConfig> | null} defaults null before the catalog is loaded
 */
export function unusualSettings(config, defaults) {
  if (!defaults) return [];
  const settings = { ...defaults, ...config };
  const sampler = { ...defaults.sampler, ...config.sampler };
  const { optimiser, schedule, weight_decay: decay, label_smoothing: smoothing } = settings;
  const { consistency, ema_decay: emaDecay, device, precision, threads } = settings;
  const { padding, background, supersampling } = sampler;
  const parts = [];
  if (optimiser !== defaults.optimiser) parts.push(optimiser);
  if (schedule !== defaults.schedule) parts.push(`schedule ${schedule}`);
  if (decay !== defaults.weight_decay) parts.push(`weight decay ${decay}`);
  if (smoothing !== defaults.label_smoothing) parts.push(`label smoothing ${smoothing}`);
  if (consistency !== defaults.consistency) parts.push(`consistency ${consistency}`);
  if (emaDecay !== defaults.ema_decay) parts.push(`averaged weights ${emaDecay}`);
  if (device !== defaults.device) parts.push(`on ${device}`);
  if (precision !== defaults.precision) parts.push(precision);
  if (settings.channels_last) parts.push("channels last");
  if (threads !== defaults.threads) parts.push(threadsText(threads));
  if (padding === "background") parts.push(`padding ${background}`);
  else if (padding !== defaults.sampler.padding) parts.push(`padding ${padding}`);
  if (supersampling) parts.push(`${supersampling}x${supersampling} supersampling`);
  return parts;
}

/** @param {number} count */
const threadsText = (count) => `${count} ${count === 1 ? "thread" : "threads"}`;

// What older runs, which do not record it, were computed on.
const UNRECORDED = { device: "cpu", precision: "float32", threads: 1 };

/**
 * Return "cpu, float32, 1 thread": what a run is computed on, and how; empty if that is not known.
 * @param {Pick<Run, "config" | "watched">} run
 */
export function computationText({ config, watched }) {
  if (!config || watched) return "";
  const { device, precision, threads, channels_last: channelsLast } = { ...UNRECORDED, ...config };
  const parts = [device, precision, threadsText(threads)];
  if (channelsLast) parts.push("channels last");
  return parts.join(", ");
}

/**
 * Return what thinning has left of a recording, in short and in full; null if nothing was dropped.
 * @param {number | undefined} halvings how often every second frame was dropped
 */
export function thinningNote(halvings) {
  if (!halvings) return null;
  const share = `1 in ${2 ** halvings}`;
  return {
    short: `Thinned to ${share} frames`,
    full: `This recording has reached its size limit: of its older frames ${share} is left. ` +
      "Step 0, each tenth, the last frame and all metrics are kept.",
  };
}

export const WAITS_FOR_CLUSTER = "waits for a node of the cluster";

/** What is shown of a run whose trainer hangs. */
export const UNRESPONSIVE = "The trainer does not respond; stop or delete this run";
