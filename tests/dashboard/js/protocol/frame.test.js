// The frame that Python wrote, read here: the same file is the golden one of the Python tests.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  decodeFrame,
  firstProbes,
  FrameError,
  initialProbeCount,
  rowOf,
  tensorsEqual,
  withInput,
} from "../../../../dashboard/assets/protocol/frame.js";

import { meanImage } from "../../../../dashboard/assets/geometry/region-statistics.js";
import {
  frameSentence,
  regionFigures,
  regionSentence,
} from "../../../../dashboard/assets/stage/theta-text.js";
import { inverseWarp } from "../../../../dashboard/assets/geometry/inverse-warp.js";

const golden = new Uint8Array(
  readFileSync(new URL("../../../experiment/frames/golden.frame", import.meta.url)),
);

test("the golden frame reads as Python wrote it", () => {
  const { info, tensors } = decodeFrame(golden);
  assert.equal(info.step, 3);
  assert.equal(info.accuracy, null);
  assert.deepEqual(info.classes, ["nought", "één"]);
  assert.deepEqual(info.collapsed, { st: [null, "outside"] });
  assert.deepEqual(tensors.input.shape, [2, 2, 3, 1]);
  assert.deepEqual([...tensors.input.data], [...Array(12).keys()]);
  assert.deepEqual([...tensors["output.st"].data], [100, 101, 103, 104, 106, 107, 109, 110]);
  assert.deepEqual([...rowOf(tensors["corners.st"], 1)], [0, 0, 3, 0, 3, 2, 0, 2]);
  assert.deepEqual([...tensors.probabilities.data], [0.75, 0.25, 0.5, 0.5]);
  assert.equal(tensors["theta.st"].data[0], -1);
  assert.equal(tensors["theta.st"].data[11], 1);
});

test("bytes at an odd offset in their buffer are read too", () => {
  const shifted = new Uint8Array(golden.length + 3);
  shifted.set(golden, 3);
  const { tensors } = decodeFrame(shifted.subarray(3));
  assert.deepEqual([...tensors.probabilities.data], [0.75, 0.25, 0.5, 0.5]);
});

test("what is not a frame is refused", () => {
  assert.throws(() => decodeFrame(new Uint8Array(3)), FrameError);
  assert.throws(() => decodeFrame(golden.subarray(0, 100)), FrameError);
  assert.throws(() => decodeFrame(golden.subarray(0, golden.length - 1)), FrameError);
  const text = new TextDecoder("latin1").decode(golden);
  const later = text.replace('\\"protocol\\":1', '\\"protocol\\":2');
  assert.notEqual(later, text);
  assert.throws(() => decodeFrame(Uint8Array.from(later, (c) => c.charCodeAt(0))), /protocol 1/);
});

test("an input that was left out is put back", () => {
  const { info, tensors } = decodeFrame(golden);
  const { input, ...rest } = tensors;
  assert.equal(withInput(/** @type {any} */ ({ info, tensors: rest }), input).tensors.input, input);
  assert.equal(withInput({ info, tensors }, null).tensors.input, input);
});

test("tensors are the same when their shapes and numbers are", () => {
  /** @param {number[]} shape @param {number[]} data */
  const tensor = (shape, ...data) => ({ shape, data: Uint8Array.from(data) });
  assert.ok(tensorsEqual(tensor([2], 1, 2), tensor([2], 1, 2)));
  assert.ok(!tensorsEqual(tensor([2], 1, 2), tensor([2], 1, 3)));
  assert.ok(!tensorsEqual(tensor([2], 1, 2), tensor([1, 2], 1, 2)));
  assert.ok(!tensorsEqual(tensor([2], 1, 2), null));
});

test("the run's own probes are apart from pictures that joined", () => {
  const { info, tensors } = decodeFrame(golden);
  const frame = { info, tensors };
  assert.equal(initialProbeCount(frame), 2);
  assert.equal(firstProbes(frame, 2), frame);
  const joined = { info: { ...info, joined: [1] }, tensors };
  assert.equal(initialProbeCount(joined), 1);
  const own = firstProbes(joined, 1);
  assert.deepEqual([own.info.labels, own.info.predicted], [[info.labels[0]], [info.predicted[0]]]);
  assert.deepEqual([own.info.joined, own.info.collapsed], [[], { st: [null] }]);
  assert.deepEqual(own.tensors.input.shape, [1, 2, 3, 1]);
  assert.deepEqual([...own.tensors.input.data], [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([...own.tensors.probabilities.data], [0.75, 0.25]);
});

test("what the page describes and draws is computed from the golden frame", () => {
  const { info, tensors } = decodeFrame(golden);
  const size = tensors.input.shape.slice(1, 3);
  const lattice = rowOf(tensors["grid.st"], 1);
  assert.match(regionSentence(lattice, size), /^The region /);
  assert.match(regionFigures(lattice, [2, 2], size).outside, /^\d+%$/);
  assert.match(frameSentence({ info, tensors }), /^Step 3, epoch 1, .*1 collapsed\.$/);
  assert.deepEqual([...meanImage(tensors.input).data], [3, 4, 5, 6, 7, 8]);
  const output = { data: rowOf(tensors["output.st"], 0), shape: [2, 2, 1], lattice };
  const pasted = inverseWarp({ data: rowOf(tensors.input, 0), shape: [2, 3, 1] }, [output]);
  assert.deepEqual(pasted.shape, [2, 3, 1]);
});
