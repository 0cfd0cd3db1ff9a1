// What one result file holds: how its figure was made, and the command that makes it again.

import { element } from "../ui/dom.js";
import { integer, percent } from "../ui/number-text.js";
import { machineText, recorded, timeText } from "./result-text.js";

/**
 * @import {
 *   EvaluationResult, InvarianceResult, Origin, RowResult, SeedResult, Training,
 * } from "../protocol/types.js"
 */

/** @type {Record<Origin, string>} */
const ORIGINS = { stnscope: "kept with stnscope", home: "in your home's results" };

/**
 * Create the description of a result file.
 * @param {object} file
 * @param {string} file.file its name
 * @param {Origin} file.origin
 * @param {string} file.command that makes it again
 * @param {string[]} file.notes
 * @param {RowResult | EvaluationResult | InvarianceResult} file.result
 */
export function createDetails({ file, origin, command, notes, result }) {
  const lists = "runs" in result
    ? result.runs.map(describeSeed)
    : ["curves" in result ? describeInvariance(result) : describeEvaluation(result)];
  const config = "runs" in result ? result.runs[0].config : result.training;
  return element(
    "div.stn-result-details",
    {},
    element("p", {}, element("code", {}, file), ` ${[ORIGINS[origin], ...notes].join(", ")}`),
    element("div.stn-result-runs", {}, ...lists.map(createList)),
    element("p.stn-muted", {}, "The command that makes it again:"),
    element("pre.stn-result-code", {}, command.replaceAll("; ", "\n")),
    element(
      "details",
      {},
      element("summary.stn-summary", {}, "Configuration"),
      element("pre.stn-result-code", { tabIndex: 0 }, JSON.stringify(config, null, 2)),
    ),
  );
}

/** @param {[string, string][]} facts */
const createList = (facts) =>
  element(
    "dl.stn-result-facts",
    {},
    ...facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]),
  );

/**
 * @param {SeedResult} run
 * @returns {[string, string][]}
 */
const describeSeed = (run) => [
  ["Seed", String(run.config.seed)],
  ["Wrong", `${integer(run.errors)} of ${integer(run.labels)}`],
  ["Error", percent(run.error, 2)],
  ["Without averaging", percent(run.error_trained, 2)],
  ["Trained", `${integer(run.step)} of ${integer(run.steps)} steps`],
  ["Time", `${timeText(run.seconds)}, ${integer(run.images_per_second)} images/s`],
  ["Parameters", integer(run.parameters)],
  ["Multiply-adds", integer(run.multiply_adds)],
  ["Machine", machineText(run.machine)],
  ["Date", run.date],
];

/**
 * @param {EvaluationResult} result
 * @returns {[string, string][]}
 */
const describeEvaluation = (result) => [
  ["Wrong", `${integer(result.errors)} of ${integer(result.labels)}`],
  ["Images", `${integer(result.images)} ${result.kind}. ${result.note}`.trim()],
  ["Distortion", result.distortion],
  ...describeTraining(result.training),
  ["Machine of the evaluation", machineText(result.machine)],
  ["Date of the evaluation", result.date],
  ["SHA-256 of the weights", result.digest],
];

/**
 * @param {InvarianceResult} result
 * @returns {[string, string][]}
 */
const describeInvariance = (result) => [
  ["Images", `${integer(result.images)} ${result.kind}. ${result.note}`.trim()],
  ["Draws at each strength", String(result.draws)],
  ["Seed of the distortions", String(result.seed)],
  ["Parameters", integer(result.parameters)],
  ["Distortion of the training", result.training.distortion],
  ...describeTraining(result.training),
  ["Machine of the evaluation", machineText(result.machine)],
  ["Time of the evaluation", timeText(result.seconds)],
  ["Date of the evaluation", result.date],
  ["SHA-256 of the weights", result.digest],
];

/**
 * @param {Training} training
 * @returns {[string, string][]}
 */
const describeTraining = ({ seed, steps, seconds, machine, command }) => [
  ["Seed of the training", recorded(seed)],
  ["Trained", `${recorded(steps)} steps`],
  ["Time of the training", timeText(seconds)],
  ["Machine of the training", recorded(machine)],
  ["Command of the training", recorded(command)],
];
