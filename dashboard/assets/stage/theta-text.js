// Theta and the sampled region as text: numbers, a matrix, a sentence. Pure.

import {
  decomposeRegion,
  determinant,
  fitAffine,
  hasStraightSides,
  outsideShare,
  pointAt,
} from "../geometry/region-geometry.js";
import { rowsOf, withoutAddedPictures } from "../protocol/frame.js";
import { regionStatistics } from "../geometry/region-statistics.js";
import { correctCount, labelledCount, transformerName } from "../ui/frame-text.js";
import { decimal, percent } from "../ui/number-text.js";

/** @import { FamilyEntry, Frame, Transformer } from "../protocol/types.js" */
/** @import { Lattice, Point, RegionPose } from "../geometry/region-geometry.js" */

// In image widths: a smaller bend is not mentioned.
const MIN_BEND = 0.005;

/**
 * Return theta as it is written in the paper: a matrix, control points or labelled numbers.
 * @param {FamilyEntry | null} family null until the catalog is loaded
 * @param {ArrayLike<number>} theta
 * @returns {{title: string, rows: string[][]}}
 */
export function thetaRows(family, theta) {
  const numbers = Array.from(theta);
  if (family?.theta_matrix) {
    const [rows, columns] = family.theta_matrix;
    const missing = rows * columns - numbers.length;
    return { title: "θ", rows: matrixText([...numbers, ...Array(missing).fill(1)], columns) };
  }
  if (family?.control_points) {
    return { title: "control points x, y", rows: inRows(pairs(numbers), family.control_points) };
  }
  const labels = family?.theta_labels ?? [];
  return {
    title: "θ",
    rows: numbers.map((value, index) => [labels[index] ?? "", decimal(value, 3)]),
  };
}

/**
 * @param {string[]} values
 * @param {number} columns
 */
const inRows = (values, columns) =>
  Array.from(
    { length: Math.ceil(values.length / columns) },
    (_, row) => values.slice(row * columns, (row + 1) * columns),
  );

/**
 * @param {number[]} numbers
 * @param {number} columns
 */
const matrixText = (numbers, columns) => inRows(numbers.map((value) => decimal(value, 3)), columns);

/**
 * Return points as text, each x above y.
 * @param {number[]} numbers x, y of each point
 */
const pairs = (numbers) =>
  Array.from(
    { length: numbers.length / 2 },
    (_, index) =>
      [numbers[2 * index], numbers[2 * index + 1]].map((value) => decimal(value, 2)).join("\n"),
  );

/**
 * Return the affine map closest to a region, as the two rows of its matrix.
 * @param {Lattice} lattice
 * @param {number[]} size height and width of the input
 */
export const affineRows = (lattice, size) => matrixText(fitAffine(lattice, size), 3);

/**
 * Describe a region in a sentence: size, rotation, shear, bend and position.
 * @param {Lattice} lattice
 * @param {number[]} size height and width of the input
 */
export function regionSentence(lattice, size) {
  const pose = decomposeRegion(lattice, size);
  if (!Object.values(pose).every(Number.isFinite)) {
    return "The region is undefined: its coordinates are not finite.";
  }
  const angle = (180 / Math.PI) * pose.rotation;
  const shear = (180 / Math.PI) * Math.atan(pose.shear);
  const parts = [
    `${wholePercent(pose.scaleX)} of the width and ${
      wholePercent(Math.abs(pose.scaleY))
    } of the height`,
    ...(pose.scaleY < 0 ? ["mirrored"] : []),
    Math.abs(angle) < 0.5 ? "upright" : rotationText(angle),
    Math.abs(shear) < 0.5 ? "not sheared" : `sheared by ${Math.abs(shear).toFixed(0)}°`,
    ...(pose.bend < MIN_BEND ? [] : [bendText(pose.bend, hasStraightSides(lattice))]),
    `centred ${positionText(pose)}`,
  ];
  return `The region covers ${parts.join(", ")}.`;
}

/**
 * @param {number} bend
 * @param {boolean} isStraight whether the region's sides are straight
 */
const bendText = (bend, isStraight) =>
  isStraight
    ? `in perspective, up to ${wholePercent(bend)} of the width from a parallelogram`
    : `bent by up to ${wholePercent(bend)} of the width`;

/** @param {number} value */
const wholePercent = (value) => percent(value, 0);

/** @param {number} degrees */
const rotationText = (degrees) =>
  `rotated ${Math.abs(degrees).toFixed(0)}° ${degrees > 0 ? "clockwise" : "anticlockwise"}`;

/** @param {RegionPose} pose */
function positionText({ shiftX, shiftY }) {
  const parts = [];
  if (Math.abs(shiftX) >= 0.01) {
    const side = shiftX > 0 ? "right" : "left";
    parts.push(`${wholePercent(Math.abs(shiftX) / 2)} of the width to the ${side} of`);
  }
  if (Math.abs(shiftY) >= 0.01) {
    const side = shiftY > 0 ? "below" : "above";
    parts.push(`${wholePercent(Math.abs(shiftY) / 2)} of the height ${side}`);
  }
  return parts.length ? `${parts.join(" and ")} the middle` : "in the middle";
}

/**
 * Return the figures shown of a region.
 * @param {Lattice} lattice
 * @param {number[]} output its height and width
 * @param {number[]} input its height and width
 * @returns {Object<string, string>}
 */
export function regionFigures(lattice, output, input) {
  return {
    determinant: decimal(determinant(fitAffine(lattice, input)), 3),
    outside: percent(outsideShare(lattice, output, input), 0),
  };
}

/**
 * Return where a family's control points lie in the input; none for a family without them.
 * @param {FamilyEntry | null} family
 * @param {Transformer} transformer
 * @param {ArrayLike<number>} theta
 * @param {Lattice} lattice
 * @param {number[]} size height and width of the input
 * @returns {Point[]} in pixels of the input
 */
export function controlPoints(family, { at }, theta, lattice, [height, width]) {
  const side = family?.control_points ?? 0;
  return Array.from({ length: side * side }, (_, index) => {
    // The theta of a deeper transformer is in coordinates of a feature map; its lattice is not.
    if (at !== "input") {
      return pointAt(lattice, (index % side) / (side - 1), Math.floor(index / side) / (side - 1));
    }
    return [((theta[2 * index] + 1) * width) / 2, ((theta[2 * index + 1] + 1) * height) / 2];
  });
}

/**
 * Describe a frame in one sentence, for screen readers: progress, accuracy and mean region.
 * @param {Frame} frame
 */
export function frameSentence(frame) {
  const { info } = frame;
  const accuracy = Number.isFinite(info.accuracy) ? `, accuracy ${percent(info.accuracy, 0)}` : "";
  const epoch = info.epoch === null ? "" : `, epoch ${info.epoch}, ${info.progress} of 10`;
  const labelled = labelledCount(info);
  const right = labelled ? `: ${correctCount(info)} of ${labelled} probes right` : "";
  return (
    `Step ${info.step}${epoch}${accuracy}${right}.` +
    meanRegionSentence(withoutAddedPictures(frame))
  );
}

/**
 * Describe the mean region of the probes that the run started with; the first
 * transformer's where there are several.
 * @param {Frame} frame
 */
function meanRegionSentence({ info: { transformers, collapsed }, tensors }) {
  if (!transformers.length) return "";
  const [first] = transformers;
  const transformerText = transformers.length > 1
    ? ` of ${transformerName(first, 1).toLowerCase()}`
    : "";
  const lattices = rowsOf(tensors[`grid.${first.name}`]);
  const statistics = regionStatistics(lattices, tensors.input.shape.slice(1, 3));
  const [width, height, rotation] = statistics.map(({ mean }) => mean);
  const rotated = Math.round(rotation) ? ` ${rotationText(rotation)},` : "";
  const reasons = Object.values(collapsed ?? {});
  const lost = lattices.filter((_, probe) => reasons.some((each) => each[probe])).length;
  return (
    ` On average the regions${transformerText} cover ${wholePercent(width)} of the width and ` +
    `${wholePercent(height)} of the height,${rotated} ` +
    `${lost ? `${lost} collapsed` : "none collapsed"}.`
  );
}
