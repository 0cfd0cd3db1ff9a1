import assert from "node:assert/strict";
import { test } from "node:test";

import { CHARTS } from "../../../../dashboard/assets/charts/chart-definitions.js";
import {
  plotBoxes,
  plotlyFigure,
  valueAt,
} from "../../../../dashboard/assets/charts/plotly-figure.js";
import { Metrics } from "../../../../dashboard/assets/playback/metrics.js";

const COLOURS = {
  text: "text",
  grid: "grid",
  font: "font",
  lines: ["first", "second"],
  compared: "compared",
};
const [BOX] = plotBoxes(300, 200, 1, 1);

/** @param {number} factor */
function metricsOf(factor) {
  const metrics = new Metrics();
  const step = Array.from({ length: 41 }, (_, index) => index);
  const names = CHARTS.flatMap(({ lines }) => lines.map(({ name }) => name));
  const columns = names.map((name) => [name, step.map((each) => factor * each)]);
  metrics.append({ step, ...Object.fromEntries(columns) });
  return metrics;
}

const content = {
  metrics: metricsOf(0.01),
  compared: null,
  range: [0, 40],
  stepsPerEpoch: 10,
  colours: COLOURS,
};

test("plotBoxes lays plots out row by row, the lower ones marked as lowest", () => {
  const boxes = plotBoxes(600, 400, 2, 5);
  assert.deepEqual(boxes.map(({ isLowest }) => isLowest), [false, false, false, true, true]);
  assert.equal(boxes[0].top, boxes[1].top);
  assert.equal(boxes[0].left, boxes[2].left);
  assert.ok(boxes[1].left + boxes[1].width <= 600);
  assert.ok(boxes[4].top + boxes[4].height <= 400);
});

test("every chart draws its lines and formats a missing value", () => {
  for (const chart of CHARTS) {
    const { data } = plotlyFigure(chart, BOX, content);
    assert.equal(data.length, chart.lines.length, chart.title);
    assert.ok(data.every(({ x, y }) => x.length === 41 && y.every(Number.isFinite)), chart.title);
    assert.equal(chart.format(null), "–", chart.title);
  }
});

test("a compared run is drawn first, over the steps of the first run", () => {
  const [chart] = CHARTS;
  const compared = { metrics: metricsOf(0.02), stretch: 2 };
  const { data } = plotlyFigure(chart, BOX, { ...content, compared });
  assert.deepEqual(data.map(({ line }) => line.color), ["compared", "first"]);
  assert.deepEqual(data[0].x.slice(0, 3), [0, 2, 4]);
});

test("ticks are at whole epochs where several are visible", () => {
  const [chart] = CHARTS;
  const ticksOf = (/** @type {number[]} */ range) =>
    plotlyFigure(chart, BOX, { ...content, range }).layout.xaxis;
  assert.equal(ticksOf([0, 40]).dtick, 10);
  assert.equal(ticksOf([0, 80]).dtick, 20);
  assert.equal(ticksOf([0, 10]).tickmode, "auto");
});

test("valueAt converts to the drawn unit, and is null where nothing was measured", () => {
  const rotation = CHARTS.find(({ title }) => title === "Rotation")?.lines[0];
  assert.ok(rotation);
  assert.ok(Math.abs(Number(valueAt(metricsOf(Math.PI / 2), rotation, 1)) - 90) < 1e-9);
  assert.equal(valueAt(new Metrics(), rotation, 1), null);
  assert.equal(valueAt(null, rotation, 1), null);
});
