// The pictures of a variation at the strength under the cursor, and what each network makes of them.

import { element, setText } from "../ui/dom.js";
import { createSwatch } from "./invariance-chart.js";
import { curveOf, halfLostText, pictureRows } from "./invariance-lines.js";
import { percent } from "../ui/number-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { CellContent, Draw } from "./invariance-chart.js" */
/** @import { LineStyle } from "./invariance-lines.js" */
/** @import { InvarianceCurve, InvarianceNetwork } from "../protocol/types.js" */

const GAP = 2; // between pictures, in pixels
const MAX_SHOWN_CLASS = 2; // characters of a predicted class that fits below its picture

/**
 * Load the pictures of the first network, which has the inputs of all, and of those with outputs.
 * @param {InvarianceNetwork[]} networks
 * @param {Pick<Api, "resultPictures">} api
 * @param {(ImageBitmap | null)[]} pictures are filled in
 * @param {() => void} onLoad
 */
export async function loadPictures(networks, api, pictures, onLoad) {
  for (const [index, { origin, file, result }] of networks.entries()) {
    if (index > 0 && !result.pictures.outputs) continue;
    try {
      pictures[index] = await createImageBitmap(
        await api.resultPictures(origin, file),
      );
    } catch {
      continue; // the curves do without
    }
    onLoad();
  }
}

/**
 * Create the pictures of a variation, and what each network makes of them.
 * @param {CellContent} content
 * @param {Draw[]} draws what draws them is added
 */
export function createPictures(content, draws) {
  const { table, name, pictures } = content;
  const input = createStrip(table.networks[0], "Inputs");
  const inputRow = pictureRows(table.networks[0], name).input;
  draws.push((index) => input.draw(pictures[0], inputRow, index));
  const rows = table.networks.map((network, number) => {
    const curve = curveOf(network, name);
    if (!curve) return "";
    const { output } = pictureRows(network, name);
    const strip = output === null ? null : createStrip(network, `Outputs of ${network.title}`);
    if (strip && output !== null) {
      draws.push((index) => strip.draw(pictures[number], output, index));
    }
    const verdicts = createVerdicts(
      network,
      curve,
      content.styles[number],
      draws,
    );
    return element("div", {}, verdicts, ...(strip ? [strip.element] : []));
  });
  return element("div.stn-invariance-pictures", {}, input.element, ...rows);
}

/**
 * Create a row of pictures.
 * @param {InvarianceNetwork} network
 * @param {string} label
 */
function createStrip({ result }, label) {
  const { height, width, labels } = result.pictures;
  const canvas = element("canvas.stn-invariance-strip", {
    width: labels.length * (width + GAP) - GAP,
    height,
    aria: { label: `${label}: ${labels.join(", ")}` },
  });
  canvas.setAttribute("role", "img");
  const context = canvas.getContext("2d");
  return {
    element: canvas,
    /** @type {(source: ImageBitmap | null, row: number, index: number) => void} */
    draw: (source, row, index) => {
      if (!source || !context) return;
      labels.forEach((_, number) => {
        const x = (index * labels.length + number) * width;
        const left = number * (width + GAP);
        context.drawImage(
          source,
          x,
          row * height,
          width,
          height,
          left,
          0,
          width,
          height,
        );
      });
    },
  };
}

/**
 * Create a network's accuracy at the cursor, and its predictions for the pictures.
 * @param {InvarianceNetwork} network
 * @param {InvarianceCurve} curve
 * @param {LineStyle} style
 * @param {Draw[]} draws what draws them is added
 */
function createVerdicts({ result }, curve, style, draws) {
  const accuracy = element("span.stn-invariance-accuracy");
  const half = element("span.stn-muted", {}, halfLostText(curve));
  const { labels } = result.pictures;
  const verdicts = labels.map(() => element("span.stn-invariance-verdict"));
  draws.push((index) => {
    setText(accuracy, percent(curve.points[index].accuracy));
    curve.predicted[index].forEach((predicted, number) => {
      const isRight = predicted === labels[number];
      const isShort = predicted.length <= MAX_SHOWN_CLASS;
      const verdict = verdicts[number];
      setText(verdict, isShort ? predicted : isRight ? "✓" : "✗");
      verdict.title = isRight ? predicted : `${predicted}, not ${labels[number]}`;
      verdict.classList.toggle("stn-wrong", !isRight);
    });
  });
  return element(
    "div.stn-invariance-row",
    {},
    element(
      "span.stn-invariance-numbers",
      {},
      createSwatch(style),
      accuracy,
      half,
    ),
    element("span.stn-invariance-verdicts", {}, ...verdicts),
  );
}
