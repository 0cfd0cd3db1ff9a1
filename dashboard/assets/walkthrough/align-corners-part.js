// What `align_corners` changes, on an image of 5x5 pixels: whether -1 and 1 are the outer edges of the first and
// last pixel, or their centres.

import { pixelsPerUnit } from "../geometry/grid-sampler.js";
import { pixelCoordinate, toPixel } from "../geometry/theta-grid.js";
import { element, setAttributes, setText, svgElement, svgText } from "../ui/dom.js";
import { decimal } from "../ui/number-text.js";

const IMAGE_SIZE = 5;
/** The two numbers of theta that can be set, the same along both axes. */
const NUMBERS = {
  scale: { title: "Scale of θ", minimum: 0.2, maximum: 1.2, initial: 0.6 },
  shift: { title: "Shift of θ", minimum: -1, maximum: 1, initial: 0.5 },
};
const STEP = 0.05;
/** @typedef {keyof typeof NUMBERS} NumberName */
const NAMES = /** @type {NumberName[]} */ (Object.keys(NUMBERS));
// Around the image, in pixels of it.
const MARGIN = 1.15;

export class AlignCornersPart {
  /** @param {() => void} onChange called after a choice */
  constructor(onChange) {
    this.onChange = onChange;
    this.isAligned = false;
    this.theta = { scale: NUMBERS.scale.initial, shift: NUMBERS.shift.initial };
    this.points = svgElement("g", { class: "stn-align-points" });
    this.others = svgElement("g", { class: "stn-align-others" });
    this.frame = svgElement("rect", { class: "stn-align-frame" });
    this.ticks = svgElement("g", { class: "stn-align-ticks" });
    this.svg = this.#createDrawing();
    this.buttons = [false, true].map((isAligned) =>
      element(
        "button.stn-chip",
        { type: "button", onclick: () => this.#set({ isAligned }) },
        `align_corners=${isAligned ? "True" : "False"}`,
      )
    );
    this.sliders = NAMES.map((name) => this.#createSlider(name));
    this.list = element("tbody");
    this.sentence = element("p.stn-walkthrough-sentence", { aria: { live: "polite" } });
    const rows = this.sliders.map(({ row }) => row);
    this.element = element(
      "div.stn-align",
      {},
      element("div.stn-walkthrough-pane", {}, this.svg),
      element(
        "div.stn-align-text",
        {},
        element(
          "div.stn-segments",
          { role: "group", aria: { label: "align_corners" } },
          ...this.buttons,
        ),
        this.sentence,
        element("div.stn-slider-rows.stn-align-scale", {}, ...rows),
        element("table.stn-align-table", {}, tableHead(), this.list),
      ),
    );
  }

  #createDrawing() {
    const side = IMAGE_SIZE + 2 * MARGIN;
    const svg = svgElement("svg", {
      class: "stn-align-drawing",
      viewBox: `${-MARGIN} ${-MARGIN} ${side} ${side}`,
      role: "img",
      "aria-label": "An image of 5 by 5 pixels, and the points at which its output is sampled",
    });
    for (let index = 0; index < IMAGE_SIZE * IMAGE_SIZE; index++) {
      const [x, y] = [index % IMAGE_SIZE, Math.floor(index / IMAGE_SIZE)];
      svg.append(svgElement("rect", { class: "stn-align-cell", x, y, width: 1, height: 1 }));
    }
    svg.append(this.frame, this.ticks, this.others, this.points);
    return svg;
  }

  /** @param {NumberName} name */
  #createSlider(name) {
    const { title, minimum, maximum } = NUMBERS[name];
    const slider = element("input.stn-slider", {
      type: "range",
      min: minimum,
      max: maximum,
      step: STEP,
      aria: { label: title },
    });
    slider.oninput = () => this.#set({ theta: { ...this.theta, [name]: slider.valueAsNumber } });
    const text = element("span.stn-slider-value");
    return { name, slider, text, row: element("label.stn-slider-row", {}, title, slider, text) };
  }

  /** @param {Partial<Pick<AlignCornersPart, "isAligned" | "theta">>} state */
  #set(state) {
    Object.assign(this, state);
    this.onChange();
  }

  query() {
    const numbers = NAMES.filter((name) => this.theta[name] !== NUMBERS[name].initial)
      .map((name) => [name, String(this.theta[name])]);
    return /** @type {Record<string, string>} */ ({
      ...(this.isAligned ? { align: "1" } : {}),
      ...Object.fromEntries(numbers),
    });
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    this.isAligned = query.get("align") === "1";
    for (const name of NAMES) {
      const { minimum, maximum, initial } = NUMBERS[name];
      const value = Number(query.get(name) ?? initial);
      this.theta[name] = value >= minimum && value <= maximum ? value : initial;
    }
  }

  draw() {
    const { isAligned, theta } = this;
    this.buttons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(isAligned === Boolean(index)))
    );
    for (const { name, slider, text } of this.sliders) {
      slider.valueAsNumber = theta[name];
      setText(text, decimal(theta[name], 2));
    }
    const [first, last] = [toPixel(-1, IMAGE_SIZE, isAligned), toPixel(1, IMAGE_SIZE, isAligned)];
    setAttributes(this.frame, { x: first, y: first, width: last - first, height: last - first });
    this.ticks.replaceChildren(...[-1, 0, 1].flatMap((value) => ticksAt(value, isAligned)));
    this.points.replaceChildren(...dots(samplePositions(theta, isAligned)));
    this.others.replaceChildren(...dots(samplePositions(theta, !isAligned)));
    this.list.replaceChildren(...Array.from({ length: IMAGE_SIZE }, (_, index) => {
      const coordinates = [false, true].map((each) => pixelCoordinate(index, IMAGE_SIZE, each));
      const sampled = [false, true].map((each) => samplePosition(index, theta, each));
      return tableRow(index, coordinates, sampled, isAligned);
    }));
    setText(this.sentence, alignSentence(isAligned, theta.shift));
  }
}

/**
 * @param {boolean} isAligned
 * @param {number} shift
 */
function alignSentence(isAligned, shift) {
  const unit = pixelsPerUnit(IMAGE_SIZE, isAligned);
  const meaning = isAligned
    ? "−1 and 1 are the centres of the first and last pixel, four pixels apart."
    : "−1 and 1 are the outer edges of the first and last pixel, five pixels apart.";
  const use = isAligned
    ? "It was PyTorch's default before 1.3."
    : "Every network here uses this, and it is PyTorch's default.";
  return `${meaning} So a shift of ${decimal(shift, 2)} is ${decimal(shift, 2)} · ${
    decimal(2 * unit, 0)
  }/2 = ${
    decimal(shift * unit, 2)
  } pixels. ${use} Hollow circles: where the same θ samples with the ` +
    "other setting; a network that was trained with one and is run with the other samples beside its target.";
}

/**
 * Return where an output pixel is sampled along one axis, in pixels of the image.
 * @param {number} index
 * @param {AlignCornersPart["theta"]} theta
 * @param {boolean} isAligned
 */
const samplePosition = (index, { scale, shift }, isAligned) =>
  toPixel(scale * pixelCoordinate(index, IMAGE_SIZE, isAligned) + shift, IMAGE_SIZE, isAligned);

/**
 * @param {AlignCornersPart["theta"]} theta
 * @param {boolean} isAligned
 */
const samplePositions = (theta, isAligned) =>
  Array.from({ length: IMAGE_SIZE }, (_, index) => samplePosition(index, theta, isAligned));

/** @param {number[]} positions along each axis */
const dots = (positions) =>
  positions.flatMap((cy) => positions.map((cx) => svgElement("circle", { cx, cy, r: 0.1 })));

/**
 * Return the tick and its number of a coordinate, along the upper and the left edge.
 * @param {number} value
 * @param {boolean} isAligned
 */
function ticksAt(value, isAligned) {
  const at = toPixel(value, IMAGE_SIZE, isAligned);
  const text = String(value).replace("-", "\u2212");
  return [
    svgElement("path", { d: `M${at},-0.35V0M-0.35,${at}H0` }),
    svgText(at, -0.5, text, "middle"),
    svgText(-0.5, at + 0.12, text, "end"),
  ];
}

function tableHead() {
  const names = ["Pixel", "its coordinate", "sampled at"];
  return element(
    "thead",
    {},
    element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name))),
  );
}

/**
 * @param {number} index
 * @param {number[]} coordinates without and with align_corners
 * @param {number[]} sampled in pixels, the same
 * @param {boolean} isAligned
 */
function tableRow(index, coordinates, sampled, isAligned) {
  const at = Number(isAligned);
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, String(index)),
    element("td", {}, decimal(coordinates[at], 2)),
    element("td", {}, `${decimal(sampled[at], 2)} px`),
  );
}
