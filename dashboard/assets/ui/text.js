// What numbers and states are called on the page. Pure text.

const COLLAPSED = {
  outside: ["outside the image", "the region lies outside the image"],
  vanishing: ["almost no area", "the region has almost no area"],
  folded: ["folded", "the region is folded over itself"],
  mirrored: ["mirrored", "the region is mirrored"],
  shared: ["same for all", "every probe has the same region, though the images differ"],
};

const STATUS = {
  queued: "waiting for its turn",
  running: "training",
  paused: "paused",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
  deleted: "deleted",
};

/** Statuses in which more frames may come without anyone's doing. */
export const isLive = (status) => ["queued", "running", "paused"].includes(status);

/** Statuses of a run that neither came to its end nor was stopped by anyone. */
export const isCut = (status) => ["interrupted", "failed"].includes(status);

/** "3/10": tenths of the present epoch. */
export const tenths = (info) => `${info?.progress ?? 0}/10`;

const partsOf = ({ config, transformers }) => [
  config.dataset,
  ...(config.architecture === config.dataset ? [] : [config.architecture]),
  // The demonstration's own goes without saying.
  ...(config.distortion.name === "scattered" ? [] : [config.distortion.name]),
  // A network without transformers has no family.
  ...(transformers === 0 ? [] : [config.family]),
  `seed ${config.seed}`,
];

/** What a run is called: what it is made of. */
export const runTitle = (run) => partsOf(run).join(", ");

/** What two runs are called beside each other: what is not the same of both, where anything is. */
export function distinctTitles(...runs) {
  const parts = runs.map(partsOf);
  const apart = parts.map((own, place) => own.filter((part) => !parts[1 - place].includes(part)));
  return apart.every((own) => own.length) ? apart.map((own) => own.join(", ")) : runs.map(runTitle);
}

/** A name for a number that tells of the first transformer only, where one of `infos` has several. */
export const titleForFirst = (name, infos) =>
  infos.some(({ transformers }) => transformers.length > 1) ? `${name}, 1st` : name;

/** A refusal with the form's words for what the server calls otherwise. */
export const withFieldTitles = (message, titles) =>
  message.replace(/^\w+/, (name) => titles[name] ?? name);

/** What of a run's training and sampling is not as usual; its configuration may be an older one. */
export function unusualSettings(config, defaults) {
  if (!defaults) return [];
  const { optimiser, schedule, weight_decay: decay, label_smoothing: smoothing } = {
    ...defaults,
    ...config,
  };
  const { padding, background, supersampling } = { ...defaults.sampler, ...config.sampler };
  const words = [];
  if (optimiser !== defaults.optimiser) words.push(optimiser);
  if (schedule !== defaults.schedule) words.push(`schedule ${schedule}`);
  if (decay !== defaults.weight_decay) words.push(`weight decay ${decay}`);
  if (smoothing !== defaults.label_smoothing) words.push(`label smoothing ${smoothing}`);
  if (padding === "background") words.push(`padding ${background}`);
  else if (padding !== defaults.sampler.padding) words.push(`padding ${padding}`);
  if (supersampling) words.push(`${supersampling}x${supersampling} supersampling`);
  return words;
}

/** "83.2%", or a dash where there is no number. */
export const percent = (value, digits = 1) =>
  isNumber(value) ? `${(100 * value).toFixed(digits)}%` : "–";

/** "0.412", or a dash where there is no number; a true minus, and none before a nought. */
export const decimal = (value, digits = 3) => {
  if (!isNumber(value)) return "–";
  const size = Math.abs(value);
  // So much has no place, and says no more, with all its digits.
  const text = size < 1000
    ? size.toFixed(digits)
    : size < 1e5
    ? size.toFixed(0)
    : size.toExponential(0);
  return value < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
};

/** "1 234": thousands apart, so that long step numbers can be read. */
export const integer = (value) =>
  isNumber(value) ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–";

export const statusWords = (status) => STATUS[status] ?? status ?? "";

/** Why a transformer's region is no region, in short for a caption and in full. */
// Exported for tests.
export function collapseReason(reason) {
  if (!reason) return null;
  const [short, full] = COLLAPSED[reason] ?? [reason, reason];
  return { short, full };
}

/** What thinning has left of a recording, in short and in full; null where it is whole. */
export function thinningNote(halvings) {
  if (!halvings) return null;
  const share = `1 in ${2 ** halvings}`;
  return {
    short: `Thinned to ${share} frames`,
    full: `This recording has reached its size limit: of its older frames ${share} is left. ` +
      "Step 0, each tenth, the last frame and all metrics are kept.",
  };
}

/** "12 s", "3 min", "2 h": a span of milliseconds, coarser the longer it is. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** "1.2 MB", "340 kB". */
export const size = (bytes) =>
  bytes < 999_500
    ? `${Math.max(1, Math.round(bytes / 1000))} kB`
    : `${(bytes / 1e6).toFixed(1)} MB`;

/** One probe in words: what it is, what it is taken for, and whether its region has collapsed. */
export function describeProbe(info, index, probability) {
  const label = labelName(info, info.labels[index]);
  const predicted = labelName(info, info.predicted[index]);
  const name = isAddedPicture(info, index) ? `Probe ${index + 1}, yours` : `Probe ${index + 1}`;
  const unnamed = isAddedPicture(info, index) ? name : "Picture";
  const parts = [label === null ? unnamed : `${name}: a ${label}`];
  parts.push(`taken for ${predicted} with ${percent(probability, 0)}`);
  if (label !== null) parts.push(isCorrect(info, index) ? "right" : "wrong");
  for (const reasons of Object.values(info.collapsed ?? {})) {
    const words = collapseReason(reasons[index]);
    if (words) parts.push(words.full);
  }
  return `${parts.join(", ")}.`;
}

/** What is drawn on the stage, for a frame's transformers; as of one before there is a frame. */
export function legendText({ transformers = [{ at: "input" }] } = {}) {
  if (!transformers.length) return "This network has no transformer: it sees its input as it is.";
  if (transformers.length === 1) {
    return (
      "White dots: corners of the region the transformer samples; the first corner is a square, " +
      "hollow ones lie further out. Right of it: what the transformer hands on."
    );
  }
  const deeper = transformers.some(({ at }) => at !== "input");
  const whose = transformers.every(({ time_step: time }) => time)
    ? "the transformer samples at each time step,"
    : "the transformers sample,";
  return (
    `Dots: corners of the regions that ${whose} each with its number and its kind ` +
    "of line; the first corner is a square. Right of them: what each hands on." +
    (deeper ? " One that works on a map is drawn where the map's pixels look." : "")
  );
}

/**
 * What one of several transformers is called: "Transformer 2", "Time step 2".
 * @param {object} transformer as a frame names it
 * @param {number} place among them, from 1
 * @param {string} [other] what it is called that is no time step
 */
export const transformerName = ({ time_step: time }, place, other = "Transformer") =>
  time ? `Time step ${time}` : `${other} ${place}`;

/** A class's name by its index, of several in a row all of them; null where there is none. */
export function labelName(info, index) {
  if (index === null || index === undefined) return null;
  if (!Array.isArray(index)) return info.classes[index] ?? String(index);
  const names = index.map((each) => labelName(info, each));
  return names.join(names.every((name) => name.length <= 1) ? "" : ", ");
}

/** What stands below a probe: what it shows, where that is known, and whether it is one's own. */
export function probeCaption(info, index) {
  const label = labelName(info, info.labels[index]);
  return [label, isAddedPicture(info, index) ? "yours" : null].filter((part) => part !== null).join(
    ", ",
  );
}

/** Why a probe of a run is not in a frame; a picture that joined is in none before. */
export function missingProbeText(run, probe) {
  const { probes = 0, added_at: steps = [] } = run ?? {};
  const step = steps[probe - (probes - steps.length)];
  return step === undefined
    ? "There is no such probe here."
    : `It joined the run at step ${integer(step)}.`;
}

/** Whether a probe is a picture that joined the run's own. */
const isAddedPicture = (info, index) => (info.joined ?? []).includes(index);

/** Whether a probe is taken for what it is; of several in a row, all of them. */
const isCorrect = (info, index) => String(info.labels[index]) === String(info.predicted[index]);

/** Whether a probe is taken for what it is: `right`, `wrong`, or `unknown` where nobody knows. */
export function verdictOf(info, index) {
  if (labelName(info, info.labels[index]) === null) return "unknown";
  return isCorrect(info, index) ? "right" : "wrong";
}

/** Why a region of a probe is none, in short and in full; null where all are. */
export function probeCollapse(info, index) {
  const found = Object.values(info.collapsed ?? {}).find((reasons) => reasons[index]);
  return collapseReason(found?.[index]);
}

/** How many probes are. */
export const correctCount = (info) =>
  info.labels.filter((_, index) => isCorrect(info, index)).length;

/** Of how many it is known what they are. */
export const labelledCount = (info) => info.labels.filter((label) => label !== null).length;

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
