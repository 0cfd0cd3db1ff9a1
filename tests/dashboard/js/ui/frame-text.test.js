import assert from "node:assert/strict";
import { test } from "node:test";

import * as textModule from "../../../../dashboard/assets/ui/frame-text.js";

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

test("transformerName counts transformers, or time steps", () => {
  assert.equal(text.transformerName({ name: "st2" }, 2), "Transformer 2");
  assert.equal(text.transformerName({ name: "st2" }, 2, "Output"), "Output 2");
  assert.equal(text.transformerName({ name: "st2", time_step: 2 }, 2, "Output"), "Time step 2");
  const two = [{ at: "input" }, { at: "input" }];
  assert.match(text.legendText({ transformers: two }), /that the transformers sample/);
  const steps = two.map((transformer, index) => ({ ...transformer, time_step: index + 1 }));
  assert.match(text.legendText({ transformers: steps }), /at each time step/);
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

test("titleForFirst marks numbers of the first of several transformers", () => {
  const infos = [{ transformers: [{}] }, { transformers: [] }];
  assert.equal(text.titleForFirst("Width", infos), "Width");
  assert.equal(text.titleForFirst("Width", [...infos, { transformers: [{}, {}] }]), "Width, 1st");
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

test("without class scores no prediction is described", () => {
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

test("fitNote describes what was fitted, and what is drawn edge to edge", () => {
  assert.equal(text.fitNote({}), "");
  assert.equal(text.fitNote({ theta: "read", placement: "exact" }), "");
  assert.equal(text.fitNote({ theta: "fitted" }), "Theta is fitted to the grid.");
  assert.match(
    text.fitNote({ theta: "fitted", residual: 0.31, placement: "stretched" }),
    /up to 0\.3 px .* stretched over the input\.$/,
  );
});

test("added pictures are marked, and count if they are labelled", () => {
  const withAdded = { ...info, labels: [0, 1, null, 1], predicted: [0, 0, 1, 1], joined: [2, 3] };
  assert.deepEqual(
    [0, 2, 3].map((index) => text.probeCaption(withAdded, index)),
    ["nought", "added", "one, added"],
  );
  assert.equal(text.probeCaption(info, 2), "", "an uploaded picture is not a probe");
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
