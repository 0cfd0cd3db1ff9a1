import assert from "node:assert/strict";
import { test } from "node:test";

import * as textModule from "../../../../dashboard/assets/ui/text.js";

// Typed loosely: fixtures have only the fields that a test needs.
/** @type {Object<string, any>} */
const text = textModule;

/** @type {any} */
const info = {
  step: 150,
  epoch: 1,
  progress: 4,
  accuracy: 0.8316,
  classes: ["nought", "one"],
  labels: [0, 1, null],
  predicted: [0, 0, 1],
  collapsed: { st: [null, "outside", null] },
};

test("tenths counts to ten", () => {
  assert.equal(text.tenths({ progress: 0 }), "0/10");
  assert.equal(text.tenths({ progress: 10 }), "10/10");
  assert.equal(text.tenths(undefined), "0/10");
  assert.equal(text.tenths({ progress: null, step: 1200 }), "1\u202f200", "of unknown epochs");
});

test("significant writes numbers of any size", () => {
  assert.deepEqual(
    [0, 0.5, -12.345, 1234.5, 99999, 1e5, -1.234e-5].map(text.significant),
    ["0.00", "0.500", "\u221212.3", "1235", "99999", "1.00e+5", "\u22121.23e-5"],
  );
  assert.equal(text.significant(null), "–");
});

test("numbers are formatted", () => {
  assert.equal(text.percent(0.8316), "83.2%");
  assert.equal(text.percent(1, 0), "100%");
  assert.equal(text.percent(null), "–");
  assert.equal(text.decimal(-0.25, 2), "\u22120.25");
  assert.equal(text.decimal(-0.001, 2), "0.00");
  assert.equal(text.decimal(NaN), "–");
  assert.equal(text.integer(1234567), "1\u202f234\u202f567");
  assert.equal(text.fileSize(340_200), "340 kB");
  assert.equal(text.fileSize(1_249_000), "1.2 MB");
});

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

test("computationText says on what a run is computed", () => {
  const config = { device: "cuda:0", precision: "bfloat16", threads: 4, channels_last: true };
  assert.equal(
    text.computationText({ config, watched: false }),
    "cuda:0, bfloat16, 4 threads, channels last",
  );
  assert.equal(text.computationText({ config: {}, watched: false }), "cpu, float32, 1 thread");
  assert.equal(text.computationText({ config: {}, watched: true }), "");
  assert.equal(text.computationText({ config: null, watched: false }), "");
});

test("transformerName counts transformers, or time steps", () => {
  assert.equal(text.transformerName({ name: "st2" }, 2), "Transformer 2");
  assert.equal(text.transformerName({ name: "st2" }, 2, "Output"), "Output 2");
  assert.equal(text.transformerName({ name: "st2", time_step: 2 }, 2, "Output"), "Time step 2");
  const two = [{ at: "input" }, { at: "input" }];
  assert.match(text.legendText({ transformers: two }), /that the transformers sample/);
  const steps = two.map((transformer, index) => ({ ...transformer, time_step: index + 1 }));
  assert.match(text.legendText({ transformers: steps }), /at each time step/);
});

test("thinningNote says what is left of a thinned recording", () => {
  assert.equal(text.thinningNote(0), null);
  assert.equal(text.thinningNote(undefined), null);
  assert.equal(text.thinningNote(1).short, "Thinned to 1 in 2 frames");
  assert.match(text.thinningNote(3).full, /1 in 8 is left/);
});

test("duration is coarser the longer it is", () => {
  assert.deepEqual([400, 12_000, 180_000, 2 * 3_600_000].map(text.duration), [
    "0 s",
    "12 s",
    "3 min",
    "2 h",
  ]);
});

test("missingProbeText distinguishes a missing probe from one added later", () => {
  const run = { probes: 5, added_at: [1234, 2000] };
  assert.equal(text.missingProbeText(run, 3), "It was added to the run at step 1\u202f234.");
  assert.equal(text.missingProbeText(run, 4), "It was added to the run at step 2\u202f000.");
  for (const probe of [5, 60]) {
    assert.equal(text.missingProbeText(run, probe), "There is no such probe here.");
  }
  assert.equal(text.missingProbeText({ probes: 3 }, 3), "There is no such probe here.");
  assert.equal(text.missingProbeText(null, 3), "There is no such probe here.");
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

test("titleForFirst marks numbers of the first of several transformers", () => {
  const infos = [{ transformers: [{}] }, { transformers: [] }];
  assert.equal(text.titleForFirst("Width", infos), "Width");
  assert.equal(text.titleForFirst("Width", [...infos, { transformers: [{}, {}] }]), "Width, 1st");
});

test("withFieldTitles replaces a field's name by its title", () => {
  const titles = { samples: "Probes" };
  assert.equal(
    text.withFieldTitles("samples must be at least 1.", titles),
    "Probes must be at least 1.",
  );
  assert.equal(text.withFieldTitles("This run is gone.", titles), "This run is gone.");
});

test("collapseReason has a text for each reason", () => {
  assert.equal(text.collapseReason(null), null);
  assert.equal(text.collapseReason("mirrored").full, "the region is mirrored");
  assert.equal(text.collapseReason("folded").short, "folded");
});

test("describeProbe names label, prediction and collapse", () => {
  assert.equal(
    text.describeProbe(info, 0, 0.984),
    "Probe 1: a nought, classified as nought with 98%, right.",
  );
  assert.equal(
    text.describeProbe(info, 1, 0.5),
    "Probe 2: a one, classified as nought with 50%, wrong, the region lies outside the image.",
  );
  const uploaded = { ...info, labels: [null], predicted: [1], collapsed: {} };
  assert.equal(text.describeProbe(uploaded, 0, 0.5), "Picture, classified as one with 50%.");
  assert.equal(text.describeProbe(info, 2, 0.5), "Probe 3, classified as one with 50%.");
});

test("without class scores nothing is said of a prediction", () => {
  const labelled = { ...info, predicted: [null, null, null] };
  const bare = { ...labelled, classes: [], labels: [null, null, null] };
  for (const each of [labelled, bare]) {
    assert.deepEqual([0, 2].map((index) => text.verdictOf(each, index)), ["unknown", "unknown"]);
    assert.deepEqual([text.correctCount(each), text.labelledCount(each)], [0, 0]);
  }
  assert.equal(text.describeProbe(labelled, 0, null), "Probe 1: a nought.");
  assert.equal(text.describeProbe(bare, 1, null), "Probe 2, the region lies outside the image.");
  assert.equal(text.probeCaption(bare, 0), "");
});

test("a watched run has the title of its model and its start", () => {
  const run = { config: { model: "LeNet" }, created: 1e9, watched: true };
  assert.match(text.runTitle(run), /^LeNet, \d Sept?,? \d\d:\d\d:40$/);
  const [first, second] = text.distinctTitles(run, { ...run, created: 1e9 + 1 });
  assert.notEqual(first, second);
});

test("accuracyNote says what was fitted, and what is drawn edge to edge", () => {
  assert.equal(text.accuracyNote({}), "");
  assert.equal(text.accuracyNote({ theta: "read", placement: "exact" }), "");
  assert.equal(text.accuracyNote({ theta: "fitted" }), "Theta is fitted to the grid.");
  assert.match(
    text.accuracyNote({ theta: "fitted", residual: 0.31, placement: "stretched" }),
    /up to 0\.3 px .* stretched over the input\.$/,
  );
});

test("added pictures are marked, and count if they are labelled", () => {
  const withAdded = { ...info, labels: [0, 1, null, 1], predicted: [0, 0, 1, 1], joined: [2, 3] };
  assert.deepEqual(
    [0, 2, 3].map((index) => text.probeCaption(withAdded, index)),
    ["nought", "added", "one, added"],
  );
  assert.equal(text.probeCaption(info, 2), "", "an uploaded picture is no probe");
  assert.equal(
    text.describeProbe(withAdded, 2, 0.5),
    "Probe 3, added, classified as one with 50%.",
  );
  assert.match(text.describeProbe(withAdded, 3, 0.5), /^Probe 4, added: a one, .* right\.$/);
  assert.equal(text.correctCount(withAdded), 2);
  assert.equal(text.labelledCount(withAdded), 3);
});

test("a row of objects is right only if all of its labels are", () => {
  const row = { ...info, labels: [[0, 1], [1, 1]], predicted: [[0, 1], [1, 0]] };
  assert.equal(text.labelName(row, [0, 1]), "nought, one");
  assert.equal(text.labelName({ classes: ["0", "1"] }, [1, 0, 1]), "101");
  assert.equal(text.correctCount(row), 1);
  assert.match(text.describeProbe(row, 1, 0.5), /a one, one, classified as one, nought .* wrong/);
  assert.equal(text.correctCount(info), 1);
  assert.equal(text.labelledCount(info), 2, "a picture without a label does not count");
});

test("legendText describes no, one and several transformers", () => {
  assert.match(text.legendText(), /^Dots/);
  assert.match(text.legendText({ transformers: [] }), /no transformer/);
  const two = [{ at: "input" }, { at: "input" }];
  assert.match(text.legendText({ transformers: two }), /each with its number/);
  assert.doesNotMatch(text.legendText({ transformers: two }), /map/);
  assert.match(text.legendText({ transformers: [{ at: "input" }, { at: "12x12 map" }] }), /map/);
  const stretched = { at: "12x12 map", placement: "stretched" };
  for (const transformers of [[stretched], [{ at: "input" }, stretched]]) {
    assert.match(text.legendText({ transformers }), /drawn edge to edge\.$/);
    assert.doesNotMatch(text.legendText({ transformers }), /centres/);
  }
});
