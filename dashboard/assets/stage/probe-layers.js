// What is drawn of a probe at any size: its region, the inverse warp of its outputs. Pure.

import { inverseWarp } from "../geometry/inverse-warp.js";
import { familyTraits } from "../protocol/catalog.js";
import { rowOf } from "../protocol/frame.js";
import { controlPoints } from "./theta-text.js";

/** @import { Frame, Transformer } from "../protocol/types.js" */
/** @import { Lattice } from "../geometry/region-geometry.js" */
/** @import { RegionParts } from "./region-overlay.js" */

/**
 * Which layers are drawn, by name; see ui/view-state.js.
 * @typedef {Object<string, boolean>} Layers
 */

/**
 * Return the names of layers that the style sheet hides, as the value of `data-hidden`.
 * @param {Layers} layers
 */
export const hiddenLayers = (layers) =>
  ["dots", "outline"].filter((layer) => !layers[layer]).join(" ");

/**
 * Return what `RegionOverlay.draw` draws of a probe's region.
 * @param {Frame} frame
 * @param {Transformer} transformer
 * @param {number} index of the probe
 * @param {Layers} layers
 * @param {Frame[]} past frames of earlier steps that the trail runs through
 * @returns {RegionParts}
 */
export function regionParts(frame, transformer, index, layers, past) {
  const lattice = rowOf(frame.tensors[`grid.${transformer.name}`], index);
  return {
    lattice,
    mesh: layers.mesh,
    controlPoints: layers.mesh ? probeControlPoints(frame, transformer, index) : [],
    trail: layers.trail ? [...pastLattices(past, transformer.name, index), lattice] : [],
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
  const family = familyTraits(transformer.family);
  return controlPoints(family, transformer, theta, lattice, tensors.input.shape.slice(1, 3));
}

/**
 * @param {Frame[]} past
 * @param {string} name of the transformer
 * @param {number} index of the probe
 * @returns {Lattice[]}
 */
function pastLattices(past, name, index) {
  return past
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
 * Return the probability of a probe's predicted class; of several classes in a row the product.
 * @param {Frame} frame
 * @param {number} index of the probe
 */
export function predictedProbability({ info, tensors }, index) {
  const probabilities = rowOf(tensors.probabilities, index);
  const classes = tensors.probabilities.shape.at(-1) ?? 0;
  const predicted = [info.predicted[index] ?? []].flat();
  return predicted.reduce(
    (product, label, position) => product * probabilities[position * classes + label],
    1,
  );
}
