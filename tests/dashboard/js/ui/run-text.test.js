import assert from "node:assert/strict";
import { test } from "node:test";

import * as textModule from "../../../../dashboard/assets/ui/run-text.js";

// Typed loosely: fixtures have only the fields that a test needs.
/** @type {Object<string, any>} */
const text = textModule;

test("unusualSettings lists what differs from the defaults", () => {
  const usual = { optimiser: "adamw", schedule: "one_cycle", weight_decay: 0.01 };
  const sampler = { padding: "network", background: null, supersampling: null };
  const training = { label_smoothing: 0.1, consistency: 0, ema_decay: 0, precision: "float32" };
  const machine = { device: "cpu", channels_last: null, threads: 1 };
  const defaults = { ...usual, ...training, ...machine, sampler };
  assert.deepEqual(text.unusualSettings({ seed: 1 }, defaults), []);
  assert.deepEqual(
    text.unusualSettings({ ...usual, label_smoothing: 0.1, sampler }, defaults),
    [],
  );
  assert.deepEqual(
    text.unusualSettings({
      optimiser: "sgd",
      schedule: "steps",
      weight_decay: 0,
      label_smoothing: 0.2,
      consistency: 0.5,
      ema_decay: 0.99,
      device: "cuda:0",
      precision: "bfloat16",
      channels_last: true,
      threads: 4,
      sampler: { padding: "background", background: 0.5, supersampling: 2 },
    }, defaults),
    [
      "sgd",
      "schedule steps",
      "weight decay 0",
      "label smoothing 0.2",
      "consistency 0.5",
      "averaged weights 0.99",
      "on cuda:0",
      "bfloat16",
      "channels last",
      "4 threads",
      "padding 0.5",
      "2x2 supersampling",
    ],
  );
  const edge = { sampler: { padding: "border", background: null, supersampling: 1 } };
  assert.deepEqual(text.unusualSettings(edge, defaults), ["padding border", "1x1 supersampling"]);
});

test("computationText names the device, precision and threads", () => {
  const config = { device: "cuda:0", precision: "bfloat16", threads: 4, channels_last: true };
  assert.equal(
    text.computationText({ config, watched: false }),
    "cuda:0, bfloat16, 4 threads, channels last",
  );
  assert.equal(text.computationText({ config: {}, watched: false }), "cpu, float32, 1 thread");
  assert.equal(text.computationText({ config: {}, watched: true }), "");
  assert.equal(text.computationText({ config: null, watched: false }), "");
});

test("thinningNote describes what is left of a thinned recording", () => {
  assert.equal(text.thinningNote(0), null);
  assert.equal(text.thinningNote(undefined), null);
  assert.equal(text.thinningNote(1).short, "Thinned to 1 in 2 frames");
  assert.match(text.thinningNote(3).full, /1 in 8 is left/);
});

test("distinctTitles lists what differs between two runs", () => {
  /** @param {object} config */
  const run = (config) => ({
    transformers: 1,
    config: {
      dataset: "digits",
      architecture: "digits",
      distortion: { name: "RTS" },
      family: "affine",
      seed: 0,
      ...config,
    },
  });
  /** @param {object} config */
  const apart = (config) => text.distinctTitles(run({}), run(config));
  assert.deepEqual(apart({ seed: 1 }), ["seed 0", "seed 1"]);
  assert.deepEqual(apart({ family: "spline-3", seed: 4 }), ["affine, seed 0", "spline-3, seed 4"]);
  assert.deepEqual(apart({}), Array(2).fill("digits, RTS, affine, seed 0"));
  // One has no part that the other lacks.
  const plain = { ...run({}), transformers: 0 };
  assert.deepEqual(text.distinctTitles(run({}), plain), [
    "digits, RTS, affine, seed 0",
    "digits, RTS, seed 0",
  ]);
});

test("withFieldTitles replaces a field's name by its title", () => {
  const titles = { samples: "Probes" };
  assert.equal(
    text.withFieldTitles("samples must be at least 1.", titles),
    "Probes must be at least 1.",
  );
  assert.equal(text.withFieldTitles("This run is gone.", titles), "This run is gone.");
});

test("a watched run has the title of its model and its start", () => {
  const run = { config: { model: "LeNet" }, created: 1e9, watched: true };
  assert.match(text.runTitle(run), /^LeNet, \d Sept?,? \d\d:\d\d:40$/);
  const [first, second] = text.distinctTitles(run, { ...run, created: 1e9 + 1 });
  assert.notEqual(first, second);
});
