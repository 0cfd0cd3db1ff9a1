// A transformed picture as a PNG: the input with its regions, and the outputs.

import { rowOf } from "../protocol/frame.js";
import { PixelImage } from "../stage/canvas.js";
import { inputMargin } from "../geometry/input-margin.js";
import { latticeCorners } from "../geometry/region-drag.js";
import { saveFile } from "../ui/save-file.js";
import { element } from "../ui/dom.js";

/** @import { Frame } from "../protocol/types.js" */

// Pixels of the file for each pixel of the input, and between the images.
const SCALE = 8;
const GAP = 16;

/**
 * Let the browser save what a frame shows of its first image.
 * @param {Frame} frame
 */
export function savePicture(frame) {
  const canvas = drawFrame(frame);
  canvas.toBlob((blob) => blob && saveFile(blob, "stnscope-picture.png"));
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
  context.fillStyle = "#1b1e23";
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
