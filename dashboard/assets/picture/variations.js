// The variations of a picture, as sliders.

import { element, setText } from "../ui/dom.js";
import { decimal, percent } from "../ui/number-text.js";

/** @import { Variation } from "../protocol/transform-stream.js" */

/**
 * One way in which a picture can be varied, in a range within the one that the server accepts.
 * @typedef {object} VariationEntry
 * @property {keyof Variation} name
 * @property {string} title
 * @property {number} minimum
 * @property {number} maximum
 * @property {number} step
 * @property {number} neutral the value that changes nothing
 * @property {(value: number) => string} text
 */

/** @param {number} value */
const degreesText = (value) => `${decimal(value, 0)}°`;
/** @param {number} value */
const share = (value) => percent(value, 0);

/**
 * All variations. Exported for tests.
 * @type {VariationEntry[]}
 */
export const VARIATIONS = [
  {
    name: "rotation",
    title: "Rotation",
    minimum: -180,
    maximum: 180,
    step: 1,
    neutral: 0,
    text: degreesText,
  },
  { name: "scale", title: "Scale", minimum: 0.3, maximum: 2, step: 0.01, neutral: 1, text: share },
  {
    name: "shift_x",
    title: "Shift right",
    minimum: -1,
    maximum: 1,
    step: 0.01,
    neutral: 0,
    text: share,
  },
  {
    name: "shift_y",
    title: "Shift down",
    minimum: -1,
    maximum: 1,
    step: 0.01,
    neutral: 0,
    text: share,
  },
  {
    name: "tilt",
    title: "Tilt",
    minimum: -60,
    maximum: 60,
    step: 1,
    neutral: 0,
    text: degreesText,
  },
  { name: "bend", title: "Bend", minimum: -1, maximum: 1, step: 0.01, neutral: 0, text: share },
  { name: "cover", title: "Cover", minimum: 0, maximum: 1, step: 0.01, neutral: 0, text: share },
  {
    name: "darkness",
    title: "Darkness",
    minimum: 0,
    maximum: 1,
    step: 0.01,
    neutral: 0,
    text: share,
  },
  {
    name: "clutter",
    title: "Clutter",
    minimum: 0,
    maximum: 12,
    step: 1,
    neutral: 0,
    text: String,
  },
];

/**
 * Return a variation without what changes nothing. Exported for tests.
 * @param {Variation} variation
 * @returns {Variation}
 */
export const withoutNeutral = (variation) =>
  Object.fromEntries(
    VARIATIONS.filter(({ name, neutral }) => (variation[name] ?? neutral) !== neutral)
      .map(({ name }) => [name, variation[name]]),
  );

/**
 * Return a value within the range of its slider.
 * @param {keyof Variation} name of the variation
 * @param {number} value
 */
export function clampVariation(name, value) {
  const entry = VARIATIONS.find((each) => each.name === name);
  return entry ? Math.min(entry.maximum, Math.max(entry.minimum, value)) : value;
}

/**
 * Return the variation in an address; what is missing or no number is neutral.
 * @param {URLSearchParams} query
 * @returns {Variation}
 */
export function readVariation(query) {
  /** @type {Variation} */
  const variation = {};
  for (const { name } of VARIATIONS) {
    const text = query.get(name);
    if (text === null || text.trim() === "" || !Number.isFinite(Number(text))) continue;
    variation[name] = clampVariation(name, Number(text));
  }
  return withoutNeutral(variation);
}

/**
 * Return a variation as parameters of an address; null for those that are left out.
 * @param {Variation} variation
 * @returns {Record<string, string | null>}
 */
export const variationQuery = (variation) =>
  Object.fromEntries(
    VARIATIONS.map(({ name, neutral }) => {
      const value = variation[name] ?? neutral;
      return [name, value === neutral ? null : String(Number(value.toFixed(4)))];
    }),
  );

/** The sliders, and a button that puts all of them back. */
export class VariationSliders {
  /**
   * @param {(variation: Variation) => void} onChange
   * @param {(entry: VariationEntry) => void} onSweep called to move one from end to end
   */
  constructor(onChange, onSweep) {
    this.onChange = onChange;
    /** @type {Variation} */
    this.variation = {};
    this.rows = VARIATIONS.map((entry) =>
      new VariationRow(entry, {
        input: (value) => this.#change({ [entry.name]: value }),
        sweep: () => onSweep(entry),
      })
    );
    this.reset = element("button.stn-button.stn-small", { type: "button" }, "Reset variations");
    this.reset.onclick = () => {
      this.set({});
      this.onChange(this.variation);
    };
    const title = element("h3.stn-tab-heading", {}, "Variations");
    this.element = element(
      "section.stn-variations",
      { aria: { label: "Variations of the picture" } },
      element("div.stn-variations-head", {}, title, this.reset),
      element("div.stn-slider-rows", {}, ...this.rows.map((row) => row.element)),
    );
    this.set({});
  }

  /**
   * Set the sliders; this does not call `onChange`.
   * @param {Variation} variation
   */
  set(variation) {
    this.variation = withoutNeutral(variation);
    for (const row of this.rows) row.set(variation[row.entry.name] ?? row.entry.neutral);
    this.reset.disabled = !Object.keys(this.variation).length;
  }

  /** @param {Variation} change */
  #change(change) {
    this.set({ ...this.variation, ...change });
    this.onChange(this.variation);
  }
}

class VariationRow {
  /**
   * @param {VariationEntry} entry
   * @param {{input: (value: number) => void, sweep: () => void}} on
   */
  constructor(entry, on) {
    this.entry = entry;
    const { title, minimum, maximum, step } = entry;
    this.slider = element("input.stn-slider", {
      type: "range",
      min: String(minimum),
      max: String(maximum),
      step: String(step),
      aria: { label: title },
    });
    this.slider.oninput = () => on.input(Number(this.slider.value));
    // Its neutral value is hard to hit with the pointer.
    this.slider.ondblclick = () => on.input(entry.neutral);
    this.value = element("output.stn-slider-value");
    this.sweep = element("button.stn-button.stn-small", {
      type: "button",
      title: `Move ${title.toLowerCase()} from end to end`,
      aria: { label: `Sweep ${title.toLowerCase()}` },
    }, "Sweep");
    this.sweep.onclick = on.sweep;
    const label = element("span", {}, title);
    this.element = element(
      "div.stn-slider-row",
      {},
      label,
      this.slider,
      this.value,
      this.sweep,
    );
  }

  /** @param {number} value */
  set(value) {
    this.slider.value = String(value);
    const text = this.entry.text(value);
    setText(this.value, text);
    this.slider.setAttribute("aria-valuetext", text);
  }
}
