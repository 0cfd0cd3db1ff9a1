// The options of an export: only those with an effect, and those of what the page shows.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  exportOptions,
  togglePicked,
  usedFields,
} from "../../../../dashboard/assets/controls/export-options.js";
import { DEFAULT_VIEW } from "../../../../dashboard/assets/ui/view-state.js";

const ANIMATION = ["first", "last", "frames", "samples", "probes", "layout", "scale", "width"]
  .concat(["layers", "charts", "compare", "fps", "seconds"]);
/** @param {string} name @param {"animation" | "still" | "data"} kind @param {string[]} options */
const format = (name, kind, options) => ({
  name,
  kind,
  options,
  title: name,
  description: "",
  suffix: name,
  media_type: "",
});
const GIF = format("gif", "animation", ANIMATION);
const FIELDS = {
  format: "gif",
  layout: "evolution",
  range: /** @type {"epoch" | "steps"} */ ("epoch"),
  first: "0",
  last: "",
  frames: "60",
  samples: "2",
  fps: "",
  seconds: "4.5",
  scale: "",
  width: "",
  charts: true,
  still: "sheet",
  table: "probes",
};
const VIEW = {
  ...DEFAULT_VIEW,
  probe: 3,
  compare: "other",
  layers: { ...DEFAULT_VIEW.layers, mesh: true, outputs: true },
};

test("fields without an effect are left out", () => {
  assert.deepEqual(exportOptions(GIF, FIELDS, [], VIEW), {
    format: "gif",
    layout: "evolution",
    samples: 2,
    seconds: 4.5,
  });
  const steps = exportOptions(GIF, { ...FIELDS, range: "steps" }, [], VIEW);
  assert.deepEqual([steps.first, steps.frames, "last" in steps], [0, 60, false]);
});

test("the stage is exported as it is seen", () => {
  assert.deepEqual(exportOptions(GIF, { ...FIELDS, layout: "stage" }, [4, 1], VIEW), {
    format: "gif",
    layout: "stage",
    seconds: 4.5,
    probes: "4,1",
    layers: "dots,outline,mesh",
    charts: "loss,accuracy,stillness",
    compare: "other",
  });
});

test("one probe is the one last picked, or that of the view", () => {
  const one = { ...FIELDS, layout: "one" };
  assert.deepEqual(exportOptions(GIF, one, [], VIEW).probes, "3");
  assert.deepEqual(exportOptions(GIF, one, [4, 1], VIEW).probes, "1");
});

test("a figure has a step, and a table no layout", () => {
  const figure = format("pdf", "still", ["last", "samples", "probes", "scale", "width"]);
  assert.deepEqual([...usedFields(figure, FIELDS)].sort(), [
    "format",
    "last",
    "samples",
    "scale",
    "width",
  ]);
  const table = format("csv", "data", ["first", "last", "frames", "samples", "probes", "table"]);
  assert.deepEqual(exportOptions(table, FIELDS, [], VIEW), {
    format: "csv",
    samples: 2,
    table: "probes",
  });
});

test("a second press takes a probe away", () => {
  assert.deepEqual(togglePicked([1, 2], 3), [1, 2, 3]);
  assert.deepEqual(togglePicked([1, 2, 3], 2), [1, 3]);
});
