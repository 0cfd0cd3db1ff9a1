// The parts of a probe that tile and detail both draw: its region and the inverse warp. Pure.

import { inverseWarp } from "../geometry/inverse-warp.js";
import { familyEntry } from "../protocol/catalog.js";
import { rowOf } from "../protocol/frame.js";
import { controlPoints } from "./theta-text.js";

/** @import { Frame, Transformer } from "../protocol/types.js" */
/** @import { Layers } from "../ui/view-state.js" */
/** @import { Lattice } from "../geometry/region-geometry.js" */
/** @import { RegionParts } from "./region-overlay.js" */

/**
 * Return the names of layers that the style sheet hides, as the value of `data-hidden`.
 * @param {Layers} layers
 */
export function hiddenLayers({ dots, outline }) {
  return [...(dots ? [] : ["dots"]), ...(outline ? [] : ["outline"])].join(" ");
}

/**
 * Return the parts of a probe's region for `RegionOverlay.draw`.
 * @param {Frame} frame
 * @param {Transformer} transformer
 * @param {number} index of the probe
 * @param {Layers} layers
 * @param {Frame[]} trail frames of earlier steps that the trail runs through
 * @returns {RegionParts}
 */
export function regionParts(frame, transformer, index, layers, trail) {
  const lattice = rowOf(frame.tensors[`grid.${transformer.name}`], index);
  return {
    lattice,
    mesh: layers.mesh,
    controlPoints: layers.mesh ? probeControlPoints(frame, transformer, index) : [],
    trail: layers.trail ? [...trailLattices(trail, transformer.name, index), lattice] : [],
  };
}

/**
 * @param {Frame} frame
 * @param {Transformer} transformer
 * @param {number} index of the probe
 */
function probeControlPoints({ tensors }, transformer, index) {
  const [theta, lattice] = ["theta", "grid"].map((kind) =>
    rowOf(tensors[`${kind}.${transformer.name}`], index)
  );
  const family = familyEntry(transformer.family);
  return controlPoints(family, transformer, theta, lattice, tensors.input.shape.slice(1, 3));
}

/**
 * @param {Frame[]} trail
 * @param {string} name of the transformer
 * @param {number} index of the probe
 * @returns {Lattice[]}
 */
function trailLattices(trail, name, index) {
  return trail
    .map(({ tensors }) => tensors[`grid.${name}`])
    .filter((lattices) => lattices && index < lattices.shape[0])
    .map((lattices) => rowOf(lattices, index));
}

/**
 * Return a probe's input with its outputs pasted back where they were sampled.
 * @param {Frame} frame
 * @param {number} index of the probe
 */
export function probeInverseWarp({ info, tensors }, index) {
  const outputs = info.transformers.map(({ name }) => ({
    data: rowOf(tensors[`output.${name}`], index),
    shape: tensors[`output.${name}`].shape.slice(1),
    lattice: rowOf(tensors[`grid.${name}`], index),
  }));
  const input = { data: rowOf(tensors.input, index), shape: tensors.input.shape.slice(1) };
  return inverseWarp(input, outputs);
}

/**
 * Return the probability of a probe's predicted class; of several classes in a row the product; null
 * without a prediction.
 * @param {Frame} frame
 * @param {number} index of the probe
 */
export function predictedProbability({ info, tensors }, index) {
  if (!tensors.probabilities || info.predicted[index] === null) return null;
  const probabilities = rowOf(tensors.probabilities, index);
  const classes = tensors.probabilities.shape.at(-1) ?? 0;
  const predicted = [info.predicted[index]].flat();
  return predicted.reduce(
    (product, label, position) => product * probabilities[position * classes + label],
    1,
  );
}
