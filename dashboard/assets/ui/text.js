// Numbers, runs and probes as text. Pure.

import { defaultConfig } from "../protocol/catalog.js";

/** @import { FrameInfo, Label, Run, RunConfig, Transformer } from "../protocol/types.js" */

/**
 * Why a region is collapsed, in short and in full. A reason that is missing here is shown as it is.
 * @type {Record<string, [string, string]>}
 */
const COLLAPSE_REASONS = {
  outside: ["outside the image", "the region lies outside the image"],
  vanishing: ["almost no area", "the region has almost no area"],
  folded: ["folded", "the region is folded over itself"],
  mirrored: ["mirrored", "the region is mirrored"],
  shared: ["same for all", "every probe has the same region, though the images differ"],
};

/**
 * Return "3/10": tenths of the current epoch; "0/10" before the first frame; the step if the length of
 * an epoch is unknown.
 * @param {Pick<FrameInfo, "progress" | "step">} [info]
 */
export const tenths = (info) =>
  info?.progress === null ? integer(info.step) : `${info?.progress ?? 0}/10`;

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
  // Of a watched run nothing but the time distinguishes one from the next.
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
 * Return the title of a number that is of the first transformer only, marked if there are several.
 * @param {string} title
 * @param {Pick<FrameInfo, "transformers">[]} infos of the frames that the number is from
 */
export const titleForFirst = (title, infos) =>
  infos.some(({ transformers }) => transformers.length > 1) ? `${title}, 1st` : title;

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

// What runs were computed on before they could say so.
const UNSAID = { device: "cpu", precision: "float32", threads: 1 };

/**
 * Return "cpu, float32, 1 thread": what a run is computed on, and how; empty if that is not known.
 * @param {Pick<Run, "config" | "watched">} run
 */
export function computationText({ config, watched }) {
  if (!config || watched) return "";
  const { device, precision, threads, channels_last: channelsLast } = { ...UNSAID, ...config };
  const parts = [device, precision, threadsText(threads)];
  if (channelsLast) parts.push("channels last");
  return parts.join(", ");
}

/**
 * Return "83.2%", or a dash if there is no number.
 * @param {number | null | undefined} value
 */
export const percent = (value, digits = 1) =>
  isNumber(value) ? `${(100 * value).toFixed(digits)}%` : "–";

/**
 * Return "0.412", or a dash if there is no number; with a minus sign, but none before a zero.
 * @param {number | null | undefined} value
 */
export const decimal = (value, digits = 3) => {
  if (!isNumber(value)) return "–";
  const absolute = Math.abs(value);
  // A large number has no room for all its digits, and they would add nothing.
  const text = absolute < 1000
    ? absolute.toFixed(digits)
    : absolute < 1e5
    ? absolute.toFixed(0)
    : absolute.toExponential(0);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
};

/**
 * Return a number of any size with three significant digits, such as "0.412", "1230" or "1.00e-5"; a
 * dash if there is none.
 * @param {number | null | undefined} value
 */
export function significant(value) {
  if (!isNumber(value)) return "–";
  const absolute = Math.abs(value);
  const isPlain = absolute === 0 || (absolute >= 1e-3 && absolute < 1e5);
  const text = !isPlain
    ? absolute.toExponential(2)
    : absolute >= 1000
    ? absolute.toFixed(0)
    : absolute.toPrecision(3);
  return value < 0 ? `\u2212${text}` : text;
}

/**
 * Return "1 234": thousands separated by a narrow space, or a dash if there is no number.
 * @param {number | null | undefined} value
 */
export const integer = (value) =>
  isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–";

/**
 * Return why a region is collapsed, in short for a caption and in full; null if it is not.
 * Exported for tests.
 * @param {string | null | undefined} reason
 */
export function collapseReason(reason) {
  if (!reason) return null;
  const [short, full] = COLLAPSE_REASONS[reason] ?? [reason, reason];
  return { short, full };
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

/**
 * Return "12 s", "3 min", "2 h": coarser the longer it is.
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/**
 * Return "1.2 MB", "340 kB".
 * @param {number} bytes
 */
export const fileSize = (bytes) =>
  bytes < 999_500
    ? `${Math.max(1, Math.round(bytes / 1000))} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * Describe a probe in words: its label, its prediction, and whether its region has collapsed.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 * @param {number | null} probability of the predicted class; null without a prediction
 */
export function describeProbe(info, index, probability) {
  const label = labelName(info, info.labels[index]);
  const predicted = labelName(info, info.predicted[index]);
  const isAdded = isAddedPicture(info, index);
  const name = isAdded ? `Probe ${index + 1}, added` : `Probe ${index + 1}`;
  const unlabelled = isAdded || info.labels.length > 1 ? name : "Picture";
  const parts = [label === null ? unlabelled : `${name}: a ${label}`];
  if (predicted !== null) {
    parts.push(`classified as ${predicted} with ${percent(probability, 0)}`);
    if (label !== null) parts.push(isCorrect(info, index) ? "right" : "wrong");
  }
  for (const reasons of Object.values(info.collapsed ?? {})) {
    const reason = collapseReason(reasons[index]);
    if (reason) parts.push(reason.full);
  }
  return `${parts.join(", ")}.`;
}

/**
 * Describe what is drawn on the stage for a frame's transformers, or before the first frame for one.
 * @param {{transformers?: Transformer[]}} info
 */
export function legendText({ transformers = [{ name: "", family: "", at: "input" }] } = {}) {
  if (!transformers.length) {
    return "This network has no transformer: its classifier receives the input unchanged.";
  }
  const stretched = transformers.some(({ placement }) => placement === "stretched")
    ? " A region of a feature map whose receptive fields are unknown is drawn edge to edge."
    : "";
  if (transformers.length === 1) {
    return (
      "Dots: corners of the region the transformer samples; the orange square is the output's top " +
      `left, hollow ones lie further out. Right of it: the transformer's output.${stretched}`
    );
  }
  const hasDeeper = transformers.some(({ at, placement }) =>
    at !== "input" && placement !== "stretched"
  );
  const subject = transformers.every(({ time_step: time }) => time)
    ? "the transformer samples at each time step,"
    : "the transformers sample,";
  return (
    `Dots: corners of the regions that ${subject} each with its number and its kind ` +
    "of line; the orange square is the output's top left. Right of them: the outputs." +
    (hasDeeper
      ? " A transformer of a feature map is drawn at the centres of its receptive fields."
      : "") +
    stretched
  );
}

/**
 * Return the name of one of several transformers: "Transformer 2", "Time step 2".
 * @param {Pick<Transformer, "time_step">} transformer
 * @param {number} number counted from 1
 * @param {string} [noun] for one that is no time step
 */
export const transformerName = ({ time_step: time }, number, noun = "Transformer") =>
  time ? `Time step ${time}` : `${noun} ${number}`;

/**
 * Return a class's name, of several in a row all names; null if there is no label.
 * @param {Pick<FrameInfo, "classes">} info
 * @param {Label | undefined} label
 * @returns {string | null}
 */
export function labelName(info, label) {
  if (label === null || label === undefined) return null;
  if (!Array.isArray(label)) return info.classes[label] ?? String(label);
  const names = label.map((each) => labelName(info, each) ?? "");
  return names.join(names.every((name) => name.length <= 1) ? "" : ", ");
}

/**
 * Return the caption of a probe: its label, if known, and whether it was added.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 */
export function probeCaption(info, index) {
  const parts = [labelName(info, info.labels[index])];
  if (isAddedPicture(info, index)) parts.push("added");
  return parts.filter((part) => part !== null).join(", ");
}

/**
 * Return why a frame lacks a probe of its run: an added picture is in no earlier frame.
 * @param {Pick<Run, "probes" | "added_at"> | null} run
 * @param {number} index of the probe
 */
export function missingProbeText(run, index) {
  const { probes = 0, added_at: steps = [] } = run ?? {};
  const step = steps[index - (probes - steps.length)];
  return step === undefined
    ? "There is no such probe here."
    : `It was added to the run at step ${integer(step)}.`;
}

/**
 * Whether a probe is a picture that was added to the run.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 */
const isAddedPicture = (info, index) => (info.joined ?? []).includes(index);

/**
 * Whether a probe's prediction is its label; of several in a row, whether all are.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 */
const isCorrect = (info, index) =>
  info.predicted[index] !== null && String(info.labels[index]) === String(info.predicted[index]);

/**
 * Whether a probe's prediction is right, wrong, or unknown, as without a label or a prediction.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 */
export function verdictOf(info, index) {
  if ([info.labels, info.predicted].some((each) => labelName(info, each[index]) === null)) {
    return "unknown";
  }
  return isCorrect(info, index) ? "right" : "wrong";
}

/**
 * Return why the first collapsed region of a probe is collapsed, in short and in full; null if none is.
 * @param {FrameInfo} info
 * @param {number} index of the probe
 */
export function probeCollapse(info, index) {
  const found = Object.values(info.collapsed ?? {}).find((reasons) => reasons[index]);
  return collapseReason(found?.[index]);
}

/**
 * Return the number of probes with a right prediction.
 * @param {FrameInfo} info
 */
export const correctCount = (info) =>
  info.labels.filter((_, index) => isCorrect(info, index)).length;

/**
 * Return the number of probes with a known label and a prediction.
 * @param {FrameInfo} info
 */
export const labelledCount = (info) =>
  info.labels.filter((label, index) => label !== null && info.predicted[index] !== null).length;

/**
 * Return how a transformer of a foreign network is known, as a sentence; empty if exactly.
 * @param {Transformer} transformer
 */
export function accuracyNote({ theta, residual, placement }) {
  const parts = [];
  if (theta === "fitted") {
    const distance = isNumber(residual) && residual >= 0.05
      ? `, up to ${decimal(residual, 1)} px from the grid that is drawn`
      : "";
    parts.push(`Theta is fitted to the grid${distance}.`);
  }
  if (placement === "stretched") {
    parts.push("The layers before this map are not known: it is stretched over the input.");
  }
  return parts.join(" ");
}

/**
 * @param {unknown} value
 * @returns {value is number}
 */
function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** What is shown of a run whose trainer hangs. */
export const WAITS_FOR_CLUSTER = "waits for a node of the cluster";
export const UNRESPONSIVE = "The trainer does not respond; stop or delete this run";
