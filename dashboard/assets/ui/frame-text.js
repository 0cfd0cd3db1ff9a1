// A frame, its probes and its transformers as text. Pure.

import { decimal, integer, isNumber, percent } from "./number-text.js";

/** @import { FrameInfo, Label, Run, Transformer } from "../protocol/types.js" */

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
 * Return the title of a number that is of the first transformer only, marked if there are several.
 * @param {string} title
 * @param {Pick<FrameInfo, "transformers">[]} infos of the frames that the number is from
 */
export const titleForFirst = (title, infos) =>
  infos.some(({ transformers }) => transformers.length > 1) ? `${title}, 1st` : title;

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
 * @param {string} [noun] for one that is not a time step
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
 * Return how a transformer of a watched network is known, as a sentence; empty if exactly.
 * @param {Transformer} transformer
 */
export function fitNote({ theta, residual, placement }) {
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
