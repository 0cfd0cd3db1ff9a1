// What a transformer learns, as two animations of the signs that ship: the tenths of the first epoch, and then
// the signs moving through the trained network.

import { element, setText } from "../ui/dom.js";
import { tenths } from "../ui/frame-text.js";
import { decimal, integer } from "../ui/number-text.js";
import { RecordedAnimation, stepsOfTenths } from "./recorded-animation.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame } from "../protocol/types.js" */
/** @import { WalkthroughContext } from "./walkthrough-picture.js" */

const EXAMPLE = "example-signs";
const ROWS = [0, 1, 2];
const MOVING_PROBE = 0;
// As in the GIFs that an export makes; a lap takes some two seconds.
const TENTH_MILLISECONDS = 500;
const LAST_TENTH_MILLISECONDS = 1500;
const LAP_MILLISECONDS = 110;

export class LearningFigure {
  /** @param {WalkthroughContext} context */
  constructor({ api, changed }) {
    this.api = api;
    this.isRequested = false;
    const onChange = () => changed();
    this.evolution = new RecordedAnimation(
      "tenth",
      "Three traffic signs. Left, each input with dots at the corners of the region that is sampled; right, " +
        "the transformer's output. Over the first epoch the regions close in on the signs.",
      onChange,
    );
    this.moving = new RecordedAnimation(
      "lap",
      "A traffic sign that moves, turns and grows. Left, the input with dots at the corners of the region, " +
        "which follows the sign; right, the output, which stands almost still.",
      onChange,
    );
    this.animations = [this.evolution, this.moving];
    this.stillness = element("p.stn-walkthrough-sentence");
    this.more = element("p.stn-walkthrough-sentence", { hidden: true });
    this.element = element(
      "div.stn-learning-figure",
      {},
      part(
        "During training",
        this.evolution,
        element(
          "p.stn-walkthrough-sentence",
          {},
          "Tenths of the first epoch. At 0/10 a region is the whole image, and the output equals the input.",
        ),
      ),
      part("After training", this.moving, this.stillness, this.more),
    );
  }

  async show() {
    if (!this.isRequested) {
      this.isRequested = true;
      await this.#open();
    }
    await Promise.all(this.animations.map((animation) => animation.show()));
  }

  hide() {
    for (const animation of this.animations) animation.hide();
  }

  query() {
    return { ...this.evolution.query(), ...this.moving.query() };
  }

  /** @param {URLSearchParams} query */
  restore(query) {
    for (const animation of this.animations) animation.restore(query);
  }

  async #open() {
    try {
      const [run, { steps, laps }] = await Promise.all([
        this.api.run(EXAMPLE),
        this.api.frames(EXAMPLE),
      ]);
      const last = steps.at(-1) ?? 0;
      this.evolution.open({
        keys: stepsOfTenths(steps, run.steps_per_epoch ?? last),
        load: (step) => this.api.frame(EXAMPLE, step, {}),
        counter: ({ info }) => `${tenths(info)}`,
        probes: ROWS,
        milliseconds: TENTH_MILLISECONDS,
        lastMilliseconds: LAST_TENTH_MILLISECONDS,
      });
      this.moving.open({
        keys: laps.map(([, number]) => number),
        load: (lap) => this.api.frame(EXAMPLE, last, { lap }),
        counter: ({ info }) => `step ${integer(info.step)}`,
        probes: [MOVING_PROBE],
        milliseconds: LAP_MILLISECONDS,
        lastMilliseconds: LAP_MILLISECONDS,
      });
      setText(
        this.stillness,
        `The trained network, step ${
          integer(last)
        }: the sign moves, turns and grows. Of all signs the outputs ` +
          `have a stillness of ${
            decimal(run.stillness ?? NaN, 2)
          }; 0 stands still, 1 moves as the input does.`,
      );
      this.more.replaceChildren(
        element("a", { href: `?run=${EXAMPLE}` }, "Watch the whole recording"),
        ...(this.api.isOwnServer ? [", where Export makes both of them as GIFs."] : ["."]),
      );
      this.more.hidden = false;
    } catch (problem) {
      this.isRequested = false;
      setText(this.stillness, /** @type {Error} */ (problem).message);
    }
  }
}

/**
 * @param {string} title
 * @param {RecordedAnimation} animation
 * @param {...HTMLElement} sentences
 */
const part = (title, animation, ...sentences) =>
  element(
    "section.stn-learning-part",
    { aria: { label: title } },
    element("h3.stn-learning-title", {}, title),
    animation.element,
    ...sentences,
  );
