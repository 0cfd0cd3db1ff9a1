// A transformed picture as a PNG, or a sweep as an animation: the input with its regions, the outputs, and a
// caption.

import { rowOf } from "../protocol/frame.js";
import { animatedPng } from "./animated-png.js";
import { PixelImage } from "../stage/canvas.js";
import { inputMargin } from "../geometry/input-margin.js";
import { latticeCorners } from "../geometry/region-drag.js";
import { regionSentence } from "../stage/theta-text.js";
import { saveFile } from "../ui/save-file.js";
import { element } from "../ui/dom.js";
import { labelName } from "../ui/frame-text.js";
import { percent } from "../ui/number-text.js";

/** @import { Frame } from "../protocol/types.js" */

// Pixels of the file for each pixel of the input, and between the images.
const SCALE = 8;
const GROUND = "#1b1e23";
const GAP = 16;
const FONT = "18px sans-serif";
const LINE = 26;
// Delay of an animation's pictures; that of the last one is longer.
const DELAY_MILLISECONDS = 100;
const LAST_DELAY_MILLISECONDS = 1000;

/** @typedef {{frame: Frame, caption: string[]}} CaptionedFrame a line, or several, for each text */

/**
 * Return what is written below a frame: class, theta in words, and the network.
 * @param {Frame} frame
 * @param {string} name of the picture
 * @param {string} weights
 */
export function captionOf({ info, tensors }, name, weights) {
  const predicted = labelName(info, info.predicted[0]);
  const { shape = [] } = tensors.probabilities ?? {};
  const share = shape.length === 2
    ? ` (${percent(Math.max(...rowOf(tensors.probabilities, 0)), 0)})`
    : "";
  const [height, width] = tensors.input.shape.slice(1);
  return [
    predicted === null ? name : `${name}: classified as ${predicted}${share}`,
    ...info.transformers.map((transformer) =>
      regionSentence(rowOf(tensors[`grid.${transformer.name}`], 0), [height, width])
    ),
    `Network: ${weights}`,
  ];
}

/**
 * Let the browser save what a frame shows of its first image.
 * @param {CaptionedFrame} captioned
 */
export function savePicture(captioned) {
  const [canvas] = drawCaptioned([captioned]);
  canvas.toBlob((blob) => blob && saveFile(blob, "stnscope-picture.png"));
}

/**
 * Let the browser save frames of one size as an animated PNG.
 * @param {CaptionedFrame[]} captioned
 * @param {string} name of the file, without its ending
 */
export async function saveAnimation(captioned, name) {
  const pictures = [];
  for (const canvas of drawCaptioned(captioned)) {
    const blob = await new Promise((done) => canvas.toBlob(done));
    pictures.push(new Uint8Array(await blob.arrayBuffer()));
  }
  const delays = pictures.map(() => DELAY_MILLISECONDS);
  delays[delays.length - 1] = LAST_DELAY_MILLISECONDS;
  saveFile(new Blob([animatedPng(pictures, delays)], { type: "image/png" }), `${name}.png`);
}

/**
 * Draw frames with their captions, all of one size.
 * @param {CaptionedFrame[]} captioned
 */
function drawCaptioned(captioned) {
  const drawings = captioned.map(({ frame, caption }) => {
    const drawing = drawFrame(frame);
    return { drawing, lines: caption.flatMap((text) => wrap(text, drawing.width - 2 * GAP)) };
  });
  const count = Math.max(...drawings.map(({ lines }) => lines.length));
  return drawings.map(({ drawing, lines }) => {
    const { width, height } = drawing;
    const canvas = element("canvas", { width, height: height + count * LINE + GAP });
    const context = canvas.getContext("2d");
    if (!context) return canvas;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, width, canvas.height);
    context.drawImage(drawing, 0, 0);
    Object.assign(context, { font: FONT, fillStyle: "#fff", textBaseline: "middle" });
    lines.forEach((line, index) => context.fillText(line, GAP, height + (index + 0.5) * LINE));
    return canvas;
  });
}

/**
 * Break a text into lines.
 * @param {string} text
 * @param {number} width in pixels
 */
function wrap(text, width) {
  const context = element("canvas").getContext("2d");
  if (!context) return [text];
  context.font = FONT;
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && context.measureText(longer).width <= width) {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}

/** @param {Frame} frame */
function drawFrame({ info, tensors }) {
  const [height, width] = tensors.input.shape.slice(1);
  const margin = SCALE * inputMargin(height, width);
  const outputs = info.transformers.map(({ name }) => tensors[`output.${name}`]);
  const side = SCALE * height + 2 * margin;
  const widths = outputs.map(({ shape }) => Math.round((SCALE * height * shape[2]) / shape[1]));
  const canvas = element("canvas", {
    width: SCALE * width + 2 * margin + widths.reduce((sum, each) => sum + each + GAP, 0),
    height: side,
  });
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  context.fillStyle = GROUND;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  /** @type {(tensor: Frame["tensors"]["input"], x: number, y: number, w: number, h: number) => void} */
  const draw = (tensor, x, y, w, h) => {
    const image = new PixelImage();
    image.draw(rowOf(tensor, 0), tensor.shape.slice(1));
    context.drawImage(image.canvas, x, y, w, h);
  };
  draw(tensors.input, margin, margin, SCALE * width, SCALE * height);
  let left = SCALE * width + 2 * margin + GAP;
  outputs.forEach((output, index) => {
    draw(output, left, margin, widths[index], SCALE * height);
    left += widths[index] + GAP;
  });
  for (const { name } of info.transformers) {
    drawRegion(context, latticeCorners(rowOf(tensors[`grid.${name}`], 0)), margin);
  }
  return canvas;
}

/**
 * Draw a region's outline and its corners, the first one as a square.
 * @param {CanvasRenderingContext2D} context
 * @param {[number, number][]} corners in pixels of the input
 * @param {number} margin
 */
function drawRegion(context, corners, margin) {
  const points = corners.map(([x, y]) => [margin + SCALE * x, margin + SCALE * y]);
  for (const [style, width] of /** @type {[string, number][]} */ ([["#000a", 5], ["#fff", 2]])) {
    Object.assign(context, { strokeStyle: style, lineWidth: width, lineJoin: "round" });
    context.beginPath();
    points.forEach(([x, y], index) => (index ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.stroke();
  }
  points.forEach(([x, y], index) => {
    const fill = index ? "#fff" : "#ff5a36";
    for (const [style, radius] of /** @type {[string, number][]} */ ([["#000", 8], [fill, 6]])) {
      context.fillStyle = style;
      context.beginPath();
      if (index) context.arc(x, y, radius, 0, 2 * Math.PI);
      else context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
      context.fill();
    }
  });
}
