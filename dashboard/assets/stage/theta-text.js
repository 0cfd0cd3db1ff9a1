// What theta is, by family: its numbers by name, or as the paper's matrix. Pure.

import {
  decomposeRegion,
  determinant,
  fitAffine,
  outsideShare,
  pointAt,
} from "../geometry/region-geometry.js";
import { rowsOf, withoutAddedPictures } from "../protocol/frame.js";
import { regionStatistics } from "../geometry/region-statistics.js";
import { correctCount, decimal, labelledCount, percent, transformerName } from "../ui/text.js";

const BENT = 0.005; // in image widths, from which on a region is told to be bent

/**
 * Theta as it is written in the paper.
 * @returns {{name: string, rows: string[][]}} rows of numbers, three decimals each
 */
export function thetaRows(family, theta) {
  const numbers = [...theta];
  if (family === "affine") return { name: "θ", rows: inRows(numbers, 3) };
  if (family === "projective") return { name: "θ", rows: inRows([...numbers, 1], 3) };
  if (family === "attention") return named(["s", "tx", "ty"], numbers);
  if (family.startsWith("spline")) {
    const side = Math.sqrt(numbers.length / 2);
    return { name: "control points x, y", rows: inRows(pairs(numbers), side) };
  }
  const letters = { rotation: ["angle"], scale: ["scale"], translation: ["tx", "ty"] };
  return named(
    family.split("-").flatMap((part) => letters[part] ?? []),
    numbers,
  );
}

const inRows = (values, count) =>
  Array.from(
    { length: Math.ceil(values.length / count) },
    (_, row) => values.slice(row * count, (row + 1) * count).map((value) => written(value)),
  );
const written = (value) => (typeof value === "string" ? value : decimal(value, 3));
const pairs = (numbers) =>
  Array.from(
    { length: numbers.length / 2 },
    (_, index) =>
      [numbers[2 * index], numbers[2 * index + 1]].map((value) => decimal(value, 2)).join("\n"),
  );
const named = (names, numbers) => ({
  name: "θ",
  rows: numbers.map((value, index) => [names[index] ?? "", decimal(value, 3)]),
});

/** The affine map closest to a region, as the two rows of its matrix. */
export function matrixRows(lattice, size) {
  return inRows(fitAffine(lattice, size), 3);
}

/**
 * A region in a sentence, in the order in which it is easiest to see.
 * @param {number[]} size height and width of the input
 */
export function regionSentence(lattice, size) {
  const reading = decomposeRegion(lattice, size);
  if (!Object.values(reading).every(Number.isFinite)) {
    return "It looks nowhere: its region is lost.";
  }
  const turn = (180 / Math.PI) * reading.rotation;
  const lean = (180 / Math.PI) * Math.atan(reading.shear);
  const parts = [
    `${whole(reading.scaleX)} of the width and ${whole(Math.abs(reading.scaleY))} of the height`,
    ...(reading.scaleY < 0 ? ["mirrored"] : []),
    Math.abs(turn) < 0.5
      ? "upright"
      : `turned ${Math.abs(turn).toFixed(0)}° ${turn > 0 ? "clockwise" : "anticlockwise"}`,
    Math.abs(lean) < 0.5 ? "not sheared" : `sheared by ${Math.abs(lean).toFixed(0)}°`,
    ...(reading.bend < BENT ? [] : [`bent by up to ${whole(reading.bend)} of the width`]),
    `centred ${placeWords(reading)}`,
  ];
  return `It looks at ${parts.join(", ")}.`;
}

const whole = (value) => percent(value, 0);

function placeWords({ shiftX, shiftY }) {
  const sides = [];
  if (Math.abs(shiftX) >= 0.01) {
    const side = shiftX > 0 ? "right" : "left";
    sides.push(`${whole(Math.abs(shiftX) / 2)} of the width to the ${side} of`);
  }
  if (Math.abs(shiftY) >= 0.01) {
    sides.push(`${whole(Math.abs(shiftY) / 2)} of the height ${shiftY > 0 ? "below" : "above"}`);
  }
  return sides.length ? `${sides.join(" and ")} the middle` : "in the middle";
}

/** What is told of a region in figures: names and values. */
export function regionFigures(lattice, output, input) {
  const map = fitAffine(lattice, input);
  return {
    determinant: decimal(determinant(map), 3),
    outside: percent(outsideShare(lattice, output, input), 0),
  };
}

/**
 * Where the control points of a spline lie, in pixels of the input; none of other families.
 * @param {{name: string, family: string, at: string}} transformer as a frame names it
 */
export function controlPoints({ family, at }, theta, lattice, [height, width]) {
  if (!family.startsWith("spline")) return [];
  const count = theta.length / 2;
  const side = Math.sqrt(count);
  return Array.from({ length: count }, (_, index) => {
    // Of a deeper one theta counts in pixels of a map: its lattice knows where those look.
    if (at !== "input") {
      return pointAt(lattice, (index % side) / (side - 1), Math.floor(index / side) / (side - 1));
    }
    return [((theta[2 * index] + 1) * width) / 2, ((theta[2 * index + 1] + 1) * height) / 2];
  });
}

/** A whole frame in one sentence, for those who do not see it: how far, how good, where it looks. */
export function frameSentence(frame) {
  const { info } = frame;
  const accuracy = Number.isFinite(info.accuracy) ? `, accuracy ${percent(info.accuracy, 0)}` : "";
  return (
    `Step ${info.step}, epoch ${info.epoch}, ${info.progress} of 10${accuracy}: ` +
    `${correctCount(info)} of ${labelledCount(info)} probes right.${
      regionsSentence(withoutAddedPictures(frame))
    }`
  );
}

// What the regions do on the whole, of several transformers those of the first.
function regionsSentence({ info: { transformers, collapsed }, tensors }) {
  if (!transformers.length) return "";
  const [first] = transformers;
  const whose = transformers.length > 1 ? ` of ${transformerName(first, 1).toLowerCase()}` : "";
  const lattices = tensors[`grid.${first.name}`];
  const size = tensors.input.shape.slice(1, 3);
  const told = regionStatistics(rowsOf(lattices), size);
  const [width, height, rotation] = told.map(({ mean }) => mean);
  const turn = Math.round(rotation);
  const turned = turn
    ? ` turned ${Math.abs(turn)}° ${turn > 0 ? "clockwise" : "anticlockwise"},`
    : "";
  const reasons = Object.values(collapsed ?? {});
  const lost = rowsOf(lattices).filter((_, probe) => reasons.some((each) => each[probe])).length;
  return (
    ` On average the regions${whose} take ${whole(width)} of the width and ${
      whole(height)
    } of the height,` +
    `${turned} ${lost ? `${lost} collapsed` : "none collapsed"}.`
  );
}
