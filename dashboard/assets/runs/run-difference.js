// Two runs side by side: which step of one stands beside which of the other, and how they differ.
// Pure.

import { firstProbes, ownProbeCount, rowsOf } from "../protocol/frame.js";
import { regionStatistics, STATISTICS } from "../geometry/region-statistics.js";
import { correctCount, decimal, integer, percent, titleForFirst } from "../ui/text.js";

/**
 * The step of the other run that stands beside `step`.
 * @param {"step" | "epoch"} by what the two share
 * @param {number | null} each steps in an epoch of the run that leads
 * @param {number | null} other steps in an epoch of the one beside it
 */
export function stepBeside(step, by, each, other) {
  return by === "epoch" && each && other ? Math.round((step / each) * other) : step;
}

const signedWhole = (value) => (value < 0 ? `\u2212${integer(-value)}` : integer(value));
const signed = (value, text) => (value > 0 ? `+${text(value)}` : text(value));
const points = (value) => `${decimal(value, 1)} points`;

/**
 * What two frames say of their runs, and the difference: of the second to the first. Of probes those
 * count that both have, and of transformers the first.
 * @returns {{name: string, title: string, values: string[], difference: string}[]}
 */
export function differences(...frames) {
  const shared = Math.min(...frames.map(ownProbeCount));
  const [one, other] = frames.map((frame) => firstProbes(frame, shared));
  const means = [meansOf(one), meansOf(other)];
  const infos = [one.info, other.info];
  // The difference is that of the numbers as they are shown.
  const row = (
    name,
    title,
    numbers,
    text,
    digits = 0,
    apart = (value) => decimal(value, digits),
  ) => {
    const known = numbers.every((value) => typeof value === "number" && Number.isFinite(value));
    const shown = (value) => Number((apart === points ? 100 * value : value).toFixed(digits));
    const difference = known ? signed(shown(numbers[1]) - shown(numbers[0]), apart) : "–";
    return { name, title, values: numbers.map((value) => text(value)), difference };
  };
  const each = (of) => infos.map(of);
  return [
    row("step", "Step", each(({ step }) => step), integer, 0, signedWhole),
    row(
      "accuracy",
      "Accuracy",
      each(({ accuracy }) => accuracy),
      (value) => percent(value),
      1,
      points,
    ),
    row("loss", "Loss", each(({ loss }) => loss), (value) => decimal(value), 3),
    row("right", "Probes right", each(correctCount), integer),
    row(
      "stillness",
      "Stillness",
      each(({ stillness }) => stillness),
      (value) => decimal(value, 2),
      2,
    ),
    ...STATISTICS.map(({ title, text, digits }, place) =>
      row(
        title,
        titleForFirst(title, infos),
        means.map((mean) => mean[place]),
        said(text),
        digits,
        said(text),
      )
    ),
  ];
}

const said = (text) => (value) => (Number.isFinite(value) ? text(value) : "–");

// Of the first transformer's regions; null where there are none.
function meansOf({ info, tensors }) {
  if (!info.transformers.length) return STATISTICS.map(() => null);
  const regions = rowsOf(tensors[`grid.${info.transformers[0].name}`]);
  return regionStatistics(regions, tensors.input.shape.slice(1, 3)).map(({ mean }) => mean);
}
