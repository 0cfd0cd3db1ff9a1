// One family of transformers at a time: its region, held by sliders, corners or control points, what it can do,
// and what it cannot.

import { latticeCorners } from "../geometry/region-drag.js";
import { gridSample } from "../geometry/grid-sampler.js";
import { fitTheta } from "../geometry/theta-fit.js";
import { identityTheta, pixelCentres, warpPoints } from "../geometry/theta-grid.js";
import { familyEntries, loadCatalog } from "../protocol/catalog.js";
import { ImagePane } from "../stage/image-pane.js";
import { regionSentence } from "../stage/theta-text.js";
import { element, setText } from "../ui/dom.js";
import { drawImage, regionLattice, RegionPane } from "./region-pane.js";
import { readTheta, thetaQuery } from "./theta-query.js";
import { ThetaSliders } from "./theta-sliders.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { DegreeOfFreedom, FamilyEntry } from "../protocol/types.js" */
/** @import { Point } from "../geometry/region-geometry.js" */
/** @import { WalkthroughPicture } from "./walkthrough-picture.js" */

const PARAMETER = "family";
/** @type {[degree: DegreeOfFreedom, text: string][]} */
const ABILITIES = [
  ["translation", "moved"],
  ["scale", "scaled"],
  ["rotation", "rotated"],
  ["shear", "sheared"],
  ["corners", "pulled at one corner alone"],
];
const BENT = "bent";
// In half sides of the input.
const WAVE = 0.12;
const TILT = 0.3;

export class FamilyPart {
  /**
   * @param {Api} api
   * @param {WalkthroughPicture} picture
   * @param {() => void} onChange called after a choice
   */
  constructor(api, picture, onChange) {
    this.api = api;
    this.picture = picture;
    this.onChange = onChange;
    /** @type {FamilyEntry[]} */
    this.families = []; // those with the fewest parameters first
    this.name = ""; // of the chosen family; empty for the first
    /** @type {number[] | null} */
    this.chosenTheta = null; // null for the closest to the network's region
    /** @type {FamilyEntry | null} */
    this.built = null;
    /** @param {number[] | null} theta */
    const choose = (theta) => this.#setTheta(theta);
    this.input = new RegionPane(choose);
    this.output = new ImagePane("Output");
    this.sliders = new ThetaSliders(choose);
    this.choices = element("div.stn-walkthrough-chips", {
      role: "group",
      aria: { label: "Family" },
    });
    this.title = element("h3.stn-family-title");
    this.description = element("p.stn-walkthrough-sentence");
    this.abilities = element("p.stn-walkthrough-sentence");
    this.sentence = element("p.stn-walkthrough-sentence.stn-walkthrough-reading", {
      aria: { live: "polite" },
    });
    this.chips = element("div.stn-walkthrough-chips");
    this.element = element(
      "div.stn-family-part",
      {},
      this.choices,
      element(
        "div.stn-theta-figure",
        {},
        element("div.stn-walkthrough-pane", {}, this.input.element),
        element(
          "div.stn-walkthrough-middle",
          {},
          this.title,
          this.description,
          this.abilities,
          this.sentence,
          this.chips,
        ),
        element("div.stn-walkthrough-pane", {}, this.output.element),
        this.sliders.element,
      ),
    );
    picture.addEventListener("change", () => {
      this.built = null;
      this.chosenTheta = null;
    });
    loadCatalog(api).then(() => this.#list());
  }

  #list() {
    this.families = familyEntries().toSorted((a, b) => a.parameters - b.parameters);
    this.choices.replaceChildren(...this.families.map(({ name, title, parameters }) => {
      const number = element("span.stn-family-count", {}, String(parameters));
      const button = element("button.stn-chip", { type: "button", data: { name } }, number, title);
      button.setAttribute("aria-label", `${title}: ${countText(parameters)}`);
      button.onclick = () => this.#setFamily(name);
      return button;
    }));
    this.onChange();
  }

  get #family() {
    return this.families.find(({ name }) => name === this.name) ?? this.families[0];
  }

  /** @param {string} name */
  #setFamily(name) {
    this.name = name === this.families[0].name ? "" : name;
    this.chosenTheta = null;
    this.onChange();
  }

  /** @param {number[] | null} theta */
  #setTheta(theta) {
    this.chosenTheta = theta;
    this.onChange();
  }

  /** @returns {Record<string, string>} */
  query() {
    return { ...(this.name ? { [PARAMETER]: this.name } : {}), ...thetaQuery(this) };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    this.name = query.get(PARAMETER) ?? "";
    const count = (query.get("theta") ?? "").split(",").length;
    this.chosenTheta = readTheta(query, count);
  }

  /** @param {FamilyEntry} family */
  #build(family) {
    const { picture } = this;
    this.built = family;
    this.input.setInput(picture.input, picture.transformer, family);
    this.centres = pixelCentres(picture.outputSize[0], picture.outputSize[1]);
    this.sliders.build(family);
    for (const button of this.choices.children) {
      const isCurrent = /** @type {HTMLElement} */ (button).dataset.name === family.name;
      button.setAttribute("aria-pressed", String(isCurrent));
    }
    setText(this.title, `${family.title}: ${countText(family.parameters)}`);
    setText(this.description, family.description);
    setText(this.abilities, abilityText(family));
    this.chips.replaceChildren(
      ...this.#examplesOf(family).map(([title, example]) =>
        element(
          "button.stn-chip",
          // The family's own, even if it was chosen in this moment.
          { type: "button", onclick: () => this.#setTheta(example(this.#family)) },
          title,
        )
      ),
    );
  }

  /**
   * @param {FamilyEntry} family
   * @returns {[title: string, example: (family: FamilyEntry) => number[] | null][]}
   */
  #examplesOf({ control_points, degrees_of_freedom: degrees }) {
    /** @type {[string, (family: FamilyEntry) => number[] | null][]} */
    const examples = [["Closest to the network's region", () => null], ["Identity", identityTheta]];
    if (control_points) examples.push(["Wave", (family) => wave(family, this.#closest(family))]);
    else if (degrees.includes("corners")) examples.push(["Seen from the side", tilted]);
    return examples;
  }

  /**
   * Return the theta whose region is closest to the one that the network chose.
   * @param {FamilyEntry} family
   */
  #closest(family) {
    const { picture } = this;
    const [height, width] = picture.input.shape;
    const corners = latticeCorners(regionLattice(picture.predictedTheta, [height, width]));
    /** @type {Point[]} */
    const normalised = corners.map(([x, y]) => [(2 * x) / width - 1, (2 * y) / height - 1]);
    return fitTheta(family, normalised, width / height);
  }

  draw() {
    const family = this.#family;
    if (!family) return; // the catalog is not loaded yet
    if (family !== this.built) this.#build(family);
    const { picture, chosenTheta } = this;
    const hasTheta = chosenTheta?.length === family.parameters;
    const theta = hasTheta ? chosenTheta : this.#closest(family);
    const { input } = picture;
    const [height, width] = input.shape;
    this.input.draw(theta);
    this.sliders.update(theta);
    const points = warpPoints(family, theta, this.centres ?? [], width / height);
    drawImage(this.output, {
      data: gridSample(input, points),
      shape: [...picture.outputSize, input.shape[2]],
    });
    setText(this.sentence, regionSentence(this.input.latticeOf(theta), [height, width]));
  }
}

/**
 * Move a spline's control points up and down along a wave.
 * @param {FamilyEntry} family
 * @param {number[]} theta
 */
function wave(family, theta) {
  const lattice = identityTheta(family);
  return theta.map((value, at) => at % 2 ? value + WAVE * Math.sin(3 * lattice[at - 1]) : value);
}

/**
 * Return a region that is higher on one side than on the other.
 * @param {FamilyEntry} family
 */
const tilted = (family) => [...identityTheta(family).slice(0, -2), TILT, 0];

/** @param {number} count of parameters */
const countText = (count) => `${count} ${count === 1 ? "number" : "numbers"}`;

/**
 * Describe what a family can do with a region, and what it cannot.
 * @param {FamilyEntry} family
 */
function abilityText({ degrees_of_freedom: degrees, control_points }) {
  const can = ABILITIES.filter(([degree]) => degrees.includes(degree)).map(([, text]) => text);
  const cannot = ABILITIES.filter(([degree]) => !degrees.includes(degree)).map(([, text]) => text);
  if (control_points) {
    return `Its region can be ${
      listText([...can, BENT], "and")
    }, as with no matrix. It can also be ` +
      "folded over itself: nothing keeps the control points in order.";
  }
  return `Its region can be ${listText(can, "and")}. It cannot be ${
    listText([...cannot, BENT], "or")
  }: its sides stay straight.`;
}

/**
 * @param {string[]} texts
 * @param {string} last before the last one
 */
const listText = (texts, last) =>
  texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} ${last} ${texts.at(-1)}`;
