// Accuracy over the strength of each variation: a chart for each, a line for each network, and the
// pictures at the strength under the cursor, which all charts share.

import { createDetails } from "./result-details.js";
import { element, setAttributes, setText, svgElement } from "../ui/dom.js";
import {
  bandPath,
  chartText,
  curveOf,
  halfLostText,
  HEIGHT,
  linePath,
  lineStyles,
  nearestStrength,
  pictureRows,
  WIDTH,
  xOf,
  yOf,
} from "./invariance-lines.js";
import { decimal, percent } from "../ui/number-text.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { InvarianceCurve, InvarianceNetwork, InvarianceTable } from "../protocol/types.js" */

/** @typedef {ReturnType<typeof lineStyles>[number]} LineStyle */
/** @typedef {(index: number) => void} Draw draws what belongs to the strength of this index */

const FIRST_INDEX = 3; // of the strength that is shown first
const GAP = 2; // between pictures, in pixels
const MAX_SHOWN_CLASS = 2; // characters of a predicted class that has room below its picture
const DETAILS_HINT = "Show what the result file holds: images, seeds, training, machine, command";

/**
 * Create the section of a data set.
 * @param {InvarianceTable} table
 * @param {Pick<Api, "resultPictures">} api
 */
export function createInvarianceSection(table, api) {
  const { title, text, sentences, variations, networks } = table;
  const strengths = networks[0].result.curves[0].points.map(({ strength }) => strength);
  const styles = lineStyles(networks);
  const pictures = networks.map(() => /** @type {ImageBitmap | null} */ (null));
  /** @type {Draw[]} */
  const draws = [];
  let shown = Math.min(FIRST_INDEX, strengths.length - 1);
  const draw = () => draws.forEach((each) => each(shown));
  const slider = createSlider(strengths, shown, show);

  /** @param {number} index */
  function show(index) {
    if (index === shown) return;
    shown = index;
    slider.set(index);
    draw();
  }

  const cells = variations.map(({ name, title: heading, description }) => {
    const content = { table, name, strengths, styles, pictures };
    const cell = element(
      "figure.stn-invariance-cell",
      {},
      element(
        "figcaption.stn-invariance-title",
        { title: description },
        heading,
      ),
      createChart(content, draws, show),
      createPictures(content, draws),
    );
    return cell;
  });
  const details = element("div");
  const legend = networks.map((network, index) =>
    createLegendEntry(network, styles[index], details)
  );
  draw();
  const section = element(
    "details.stn-result-section",
    { open: true },
    element(
      "summary.stn-result-summary",
      {},
      element("span.stn-result-title", {}, `Invariance: ${title}`),
      element(
        "span.stn-muted",
        {},
        "accuracy in % over the strength of each variation",
      ),
    ),
    ...sentences.map((sentence) => element("p.stn-result-recipe", {}, sentence)),
    element("div.stn-invariance-legend", {}, ...legend, slider.element),
    details,
    element("div.stn-invariance-grid", {}, ...cells),
    element("p.stn-result-recipe.stn-muted", {}, text),
  );
  whenSeen(section, () => loadPictures(networks, api, pictures, draw));
  return section;
}

/**
 * Call a function once an element is on the screen.
 * @param {Element} target
 * @param {() => void} load
 */
function whenSeen(target, load) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    load();
  });
  observer.observe(target);
}

/**
 * Load the pictures of the first network, which has the inputs of all, and of those with outputs.
 * @param {InvarianceNetwork[]} networks
 * @param {Pick<Api, "resultPictures">} api
 * @param {(ImageBitmap | null)[]} pictures are filled in
 * @param {() => void} onLoad
 */
async function loadPictures(networks, api, pictures, onLoad) {
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
 * @param {number[]} strengths
 * @param {number} first
 * @param {Draw} show
 */
function createSlider(strengths, first, show) {
  const input = element("input", {
    type: "range",
    min: "0",
    max: String(strengths.length - 1),
    value: String(first),
  });
  const output = element("output", {}, decimal(strengths[first], 1));
  /** @param {number} index */
  const set = (index) => {
    input.value = String(index);
    input.setAttribute("aria-valuetext", decimal(strengths[index], 1));
    setText(output, decimal(strengths[index], 1));
  };
  input.oninput = () => show(Number(input.value));
  set(first);
  return {
    element: element(
      "label.stn-invariance-slider",
      {},
      "Strength ",
      input,
      output,
    ),
    set,
  };
}

/**
 * @param {InvarianceNetwork} network
 * @param {LineStyle} style
 * @param {HTMLElement} place where the details are shown
 */
function createLegendEntry({ title, origin, file, result }, style, place) {
  const name = origin === "home" ? `${title}, home` : title;
  const button = element("button.stn-figure", {
    type: "button",
    title: DETAILS_HINT,
  }, name);
  button.setAttribute("aria-expanded", "false");
  button.onclick = () => {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    const section = button.closest(".stn-invariance-legend");
    for (const other of section?.querySelectorAll(".stn-figure") ?? []) {
      other.setAttribute("aria-expanded", "false");
    }
    place.replaceChildren();
    if (isOpen) return;
    button.setAttribute("aria-expanded", "true");
    const notes = result.note ? [result.note] : [];
    place.append(
      createDetails({ file, origin, command: result.command, notes, result }),
    );
  };
  return element("span.stn-invariance-entry", {}, createSwatch(style), button);
}

/** @param {LineStyle} style */
function createSwatch(style) {
  const swatch = svgElement("svg", {
    viewBox: "0 0 22 8",
    class: "stn-invariance-swatch",
    "aria-hidden": "true",
  });
  swatch.append(svgElement("path", { d: "M0 4H22", ...lineAttributes(style) }));
  return swatch;
}

/** @param {LineStyle} style */
const lineAttributes = ({ colour, dash }) => ({
  class: "stn-invariance-line",
  "data-line": colour,
  "data-dash": dash,
});

/**
 * @typedef {object} CellContent
 * @property {InvarianceTable} table
 * @property {string} name of the variation
 * @property {number[]} strengths
 * @property {LineStyle[]} styles of the networks
 * @property {(ImageBitmap | null)[]} pictures of the networks, as far as they are loaded
 */

/**
 * Create a chart.
 * @param {CellContent} content
 * @param {Draw[]} draws what draws its cursor is added
 * @param {Draw} show called with the strength under the pointer
 */
function createChart({ table, name, strengths, styles }, draws, show) {
  const chart = svgElement("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: "stn-invariance-chart",
    role: "img",
    "aria-label": chartText(table, name),
  });
  chart.append(...createAxes(strengths));
  const dots = svgElement("g");
  const lines = table.networks.flatMap((network, index) => {
    const curve = curveOf(network, name);
    return curve ? [{ curve, style: styles[index] }] : [];
  });
  for (const { curve, style } of lines) {
    chart.append(
      svgElement("path", {
        d: bandPath(curve),
        class: "stn-invariance-band",
        "data-line": style.colour,
      }),
      svgElement("path", { d: linePath(curve), ...lineAttributes(style) }),
    );
  }
  const cursor = svgElement("line", {
    y1: yOf(1),
    y2: yOf(0),
    class: "stn-invariance-cursor",
  });
  chart.append(cursor, dots);
  draws.push((index) => {
    const x = xOf(strengths[index]);
    setAttributes(cursor, { x1: x, x2: x });
    dots.replaceChildren(
      ...lines.map(({ curve, style }) =>
        svgElement("circle", {
          cx: x,
          cy: yOf(curve.points[index].accuracy),
          r: 3,
          class: "stn-invariance-dot",
          "data-line": style.colour,
        })
      ),
    );
  });
  const follow = (/** @type {PointerEvent} */ event) => {
    const box = chart.getBoundingClientRect();
    show(nearestStrength((event.clientX - box.left) / box.width, strengths));
  };
  chart.addEventListener("pointermove", follow);
  chart.addEventListener("pointerdown", follow);
  return chart;
}

/** @param {number[]} strengths */
function createAxes(strengths) {
  const levels = [0, 0.5, 1].flatMap((value) => [
    svgElement("line", {
      x1: xOf(0),
      x2: xOf(1),
      y1: yOf(value),
      y2: yOf(value),
      class: "stn-invariance-axis",
    }),
    createTick(String(100 * value), {
      x: xOf(0) - 4,
      y: yOf(value) + 3.5,
      "text-anchor": "end",
    }),
  ]);
  const ticks = strengths.map((strength) =>
    createTick(decimal(strength, 1), {
      x: xOf(strength),
      y: HEIGHT - 5,
      "text-anchor": "middle",
    })
  );
  return [...levels, ...ticks];
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} attributes
 */
function createTick(text, attributes) {
  const tick = svgElement("text", {
    class: "stn-invariance-tick",
    ...attributes,
  });
  tick.textContent = text;
  return tick;
}

/**
 * Create the pictures of a variation, and what each network makes of them.
 * @param {CellContent} content
 * @param {Draw[]} draws what draws them is added
 */
function createPictures(content, draws) {
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
