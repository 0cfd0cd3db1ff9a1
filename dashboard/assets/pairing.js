// Two runs side by side: which step of one stands beside which of the other, and how they differ.
// Pure.

import { decimal, percent, rightOf, whole } from "./words.js";

/**
 * The step of the other run that stands beside `step`.
 * @param {"step" | "epoch"} by what the two share
 * @param {number | null} each steps in an epoch of the run that leads
 * @param {number | null} other steps in an epoch of the one beside it
 */
export function stepBeside(step, by, each, other) {
  return by === "epoch" && each && other ? Math.round((step / each) * other) : step;
}

const signed = (value, text) => (value > 0 ? `+${text(value)}` : text(value));
const points = (value) => `${decimal(100 * value, 1)} points`;

/**
 * What two frames say of their runs, and the difference: of the second to the first.
 * @returns {{name: string, title: string, values: string[], difference: string}[]}
 */
export function differences(one, other) {
  const infos = [one.info, other.info];
  const row = (name, title, numbers, text, apart = text) => {
    const known = numbers.every((value) => typeof value === "number" && Number.isFinite(value));
    const difference = known ? signed(numbers[1] - numbers[0], apart) : "–";
    return { name, title, values: numbers.map((value) => text(value)), difference };
  };
  const each = (of) => infos.map(of);
  return [
    row("step", "Step", each(({ step }) => step), whole, (value) => decimal(value, 0)),
    row("accuracy", "Accuracy", each(({ accuracy }) => accuracy), (value) => percent(value), points),
    row("loss", "Loss", each(({ loss }) => loss), (value) => decimal(value)),
    row("right", "Probes right", each(rightOf), whole, (value) => decimal(value, 0)),
    row("stillness", "Stillness", each(({ stillness }) => stillness), (value) => decimal(value, 2)),
  ];
}
