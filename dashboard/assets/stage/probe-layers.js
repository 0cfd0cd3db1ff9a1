// What of a probe is drawn, in whichever size: its region, its input with the warp undone. Pure.

import { rowOf } from "../protocol/frame.js";
import { controlPoints } from "./theta-text.js";
import { inverseWarp } from "../geometry/inverse-warp.js";

/** The layers that are not drawn though they are there, as an attribute that the style knows. */
export const hiddenLayers = (layers) =>
  ["dots", "outline"].filter((layer) => !layers[layer]).join(" ");

/**
 * A probe's region, as `RegionOverlay.draw` takes it.
 * @param {object} layers which are drawn, by name
 * @param {object[]} past frames of earlier steps that a trail leads through
 */
export function regionOf(frame, transformer, index, layers, past) {
  const lattice = rowOf(frame.tensors[`grid.${transformer.name}`], index);
  const more = {
    inner: layers.mesh,
    controls: layers.mesh ? controlsOf(frame, transformer, index) : [],
    way: layers.trail ? [...wayOf(past, transformer.name, index), lattice] : [],
  };
  return [lattice, more];
}

// Where a probe's control points lie, in pixels of its input.
function controlsOf({ tensors }, transformer, index) {
  const [theta, lattice] = ["theta", "grid"].map((kind) =>
    rowOf(tensors[`${kind}.${transformer.name}`], index)
  );
  return controlPoints(transformer, theta, lattice, tensors.input.shape.slice(1, 3));
}

// A probe's lattices of earlier frames.
function wayOf(past, name, index) {
  return past
    .map(({ tensors }) => tensors[`grid.${name}`])
    .filter((lattices) => lattices && index < lattices.shape[0])
    .map((lattices) => rowOf(lattices, index));
}

/** A probe's input with its outputs pasted back where they came from. */
export function inverseWarpOf({ info, tensors }, index) {
  const shape = tensors.input.shape.slice(1);
  const pasted = info.transformers.map(({ name }) => ({
    output: rowOf(tensors[`output.${name}`], index),
    shape: tensors[`output.${name}`].shape.slice(1),
    lattice: rowOf(tensors[`grid.${name}`], index),
  }));
  return inverseWarp({ data: rowOf(tensors.input, index), shape }, pasted);
}

/** The probability of the class that probe `index` is taken for; in a row, of all together. */
export function probabilityOf({ info, tensors }, index) {
  const chances = rowOf(tensors.probabilities, index);
  const classes = tensors.probabilities.shape.at(-1);
  const taken = [info.predicted[index]].flat();
  return taken.reduce((all, each, place) => all * chances[place * classes + each], 1);
}
