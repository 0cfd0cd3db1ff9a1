// A picture of one's own: chosen, varied, transformed and classified by a trained network, and beside it
// by the same data's network without a transformer.

import { element, setText } from "../ui/dom.js";
import { GALLERY, galleryPicture } from "./gallery.js";
import { NetworkSession } from "./network-session.js";
import { PictureSource } from "./picture-source.js";
import { captionOf, saveAnimation, savePicture } from "./save-picture.js";
import { SweepChart } from "./sweep.js";
import { sweepValues } from "./sweep-curves.js";
import { TransformView } from "./transform-view.js";
import { readVariation, variationQuery, VariationSliders } from "./variations.js";
import { WithoutTransformer } from "./without-transformer.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Frame, WeightsCard } from "../protocol/types.js" */
/** @import { Variation } from "../protocol/transform-stream.js" */
/** @import { ChosenPicture } from "./picture-source.js" */
/** @import { SweepPoint } from "./sweep-curves.js" */
/** @import { VariationEntry } from "./variations.js" */

const RUN_PREFIX = "run:";
// The distortion that moves nothing.
const CENTRED = "centred";
const OWN_TITLE = "Your picture";
const LOADING = "Transforming the picture …";
// In the address, in place of a gallery picture's name.
const OWN = "own";
const NOT_IN_LINK =
  "This link is of a picture that a user uploaded, which a link does not contain; this is an example in its place.";

export class PictureTab {
  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    /** @type {WeightsCard[]} */
    this.cards = [];
    /** @type {ChosenPicture | null} */
    this.picture = null;
    /** @type {NetworkSession | null} */
    this.session = null;
    /** @type {NetworkSession | null} */
    this.without = null; // of the network without a transformer
    this.opened = 0; // counts the pictures and networks that were opened
    this.isSweeping = false;
    this.note = ""; // of the address that was opened
    /**
     * Called when what the tab shows has changed, for its address.
     * @type {() => void}
     */
    this.onchange = () => {};
    this.source = new PictureSource((picture) => this.#choose(picture));
    this.sliders = new VariationSliders(
      (variation) => this.#vary(variation),
      (entry) => this.#sweep(entry),
    );
    this.view = new TransformView((variation) => this.#vary(variation));
    this.withoutPanel = new WithoutTransformer();
    this.chart = new SweepChart(
      (point) => this.#showPoint(point),
      (entry, points) => this.#saveSweep(entry, points),
    );
    this.weights = element("select.stn-entry", { aria: { label: "Trained network" } });
    this.weights.onchange = () => this.#open();
    this.save = element("button.stn-button.stn-small", { type: "button" }, "Save as PNG");
    this.save.onclick = () => this.#savePicture();
    this.message = element("p.stn-tab-message", { aria: { live: "polite" } }, LOADING);
    this.element = this.#layOut();
    this.source.acceptDrops(this.element);
  }

  #layOut() {
    const network = element("label.stn-field", {}, "Trained network", this.weights);
    return element(
      "div.stn-picture-tab",
      {},
      element("h2.stn-tab-title", {}, "Try a picture"),
      element(
        "p.stn-tab-sentence",
        {},
        "The network finds the digit or sign in a picture, wherever it is. Move it, and watch the output stand still.",
      ),
      this.source.element,
      element(
        "div.stn-picture-main",
        {},
        element("div.stn-picture-head", {}, network, this.save),
        this.message,
        this.view.element,
        element(
          "div.stn-picture-lower",
          {},
          this.sliders.element,
          element("div.stn-picture-beside", {}, this.withoutPanel.element, this.chart.element),
        ),
      ),
    );
  }

  /**
   * Show what an address names: at first an example.
   * @param {URLSearchParams} query
   */
  async show(query) {
    if (this.cards.length) return;
    try {
      this.cards = (await this.api.weights()).filter(({ transformers }) => transformers !== 0);
    } catch (problem) {
      this.#alert(/** @type {Error} */ (problem).message);
      return;
    }
    const requested = query.get("weights");
    // The server lists the newest checkpoints; a link may name any.
    if (requested?.startsWith(RUN_PREFIX) && !this.cards.some(({ name }) => name === requested)) {
      this.cards.push(checkpointCard(requested));
    }
    this.weights.replaceChildren(
      ...this.cards.map(({ name, title }) => new Option(title, name)),
    );
    if (this.cards.some(({ name }) => name === requested)) this.weights.value = requested ?? "";
    this.sliders.set(readVariation(query));
    if (query.get("picture") === OWN) this.note = NOT_IN_LINK;
    // A picture may have been chosen before the networks were known.
    if (this.picture) {
      this.#chooseNetwork(this.picture);
      return this.#open();
    }
    // One that is on its way opens by itself.
    if (this.source.chosen) return;
    const example = galleryPicture(query.get("picture")) ??
      GALLERY.find(({ subject }) => subject === this.#card?.subject) ?? GALLERY[0];
    await this.source.openGallery(example);
  }

  get #name() {
    return this.picture?.gallery?.title ?? OWN_TITLE;
  }

  /** @param {Frame} frame */
  #caption(frame) {
    return captionOf(frame, this.#name, this.#card?.title ?? this.weights.value);
  }

  #savePicture() {
    const { frame } = this.view;
    if (frame) savePicture({ frame, caption: this.#caption(frame) });
  }

  /**
   * @param {VariationEntry} entry
   * @param {SweepPoint[]} points
   */
  #saveSweep({ name, title, text }, points) {
    const frames = points.map(({ value, frame }) => ({
      frame,
      caption: [`${title} ${text(value)}`, ...this.#caption(frame)],
    }));
    saveAnimation(frames, `stnscope-sweep-${name}`);
  }

  /** Return the tab's parameters of the address. */
  query() {
    return {
      weights: this.weights.value || null,
      picture: this.picture ? this.picture.gallery?.name ?? OWN : null,
      ...variationQuery(this.sliders.variation),
    };
  }

  /**
   * Show a picture, as if it had been chosen.
   * @param {Blob} blob
   */
  take(blob) {
    this.source.take(blob);
  }

  /** Switch the camera off: another tab is shown. */
  hide() {
    this.source.closeCamera();
    this.isSweeping = false;
  }

  get #card() {
    return this.cards.find(({ name }) => name === this.weights.value);
  }

  /** @param {ChosenPicture} picture */
  #choose(picture) {
    this.#chooseNetwork(picture);
    // What was chosen first keeps the variation that its address names.
    if (this.picture) {
      this.sliders.set({});
      this.note = "";
    }
    this.picture = picture;
    return this.#open();
  }

  /**
   * Choose a network that is trained on what a picture of the gallery shows.
   * @param {ChosenPicture} picture
   */
  #chooseNetwork({ gallery }) {
    const current = this.#card?.subject;
    // A network for anything else stays selected: the user chose it.
    const isForOther = GALLERY.some(({ subject }) => subject === current);
    if (!gallery || gallery.subject === current || !isForOther) return;
    const fitting = this.cards.filter(({ subject }) => subject === gallery.subject);
    // Best one that finds its subject anywhere, and can be compared with a network without a transformer.
    const best = fitting.find((card) => card.without_transformer && card.distortion !== CENTRED) ??
      fitting[0];
    if (best) this.weights.value = best.name;
  }

  /** Open the picture with the chosen network, and with the one without a transformer. */
  async #open() {
    const card = this.#card;
    const { picture } = this;
    if (!card || !picture) return;
    const opened = ++this.opened;
    this.chart.clear();
    this.message.removeAttribute("role");
    setText(this.message, this.view.frame ? "" : LOADING);
    const className = picture.gallery?.class ?? null;
    const session = new NetworkSession(this.api, card.name, className);
    const without = card.without_transformer
      ? new NetworkSession(this.api, card.without_transformer, className)
      : null;
    try {
      const [frame] = await Promise.all([session.open(picture.blob), without?.open(picture.blob)]);
      if (opened !== this.opened) return session.close();
      this.session?.close();
      this.without?.close();
      Object.assign(this, { session, without });
      if (!without) this.withoutPanel.clear();
      setText(this.message, this.note);
      this.view.open(session, frame, this.#name);
      // The network of a watched loop takes a picture as it is, and keeps none.
      this.sliders.element.hidden = this.chart.element.hidden = !session.picture;
      if (session.picture) this.#vary(this.sliders.variation);
    } catch (problem) {
      session.close();
      without?.close();
      if (opened === this.opened) this.#alert(/** @type {Error} */ (problem).message);
    }
  }

  /** @param {string} text why a picture was refused */
  #alert(text) {
    this.message.setAttribute("role", "alert");
    setText(this.message, text);
  }

  /** @param {Variation} variation */
  async #vary(variation) {
    this.isSweeping = false;
    this.sliders.set(variation);
    this.onchange();
    await this.#request(this.sliders.variation);
  }

  /**
   * Request the predictions of both networks for a variation, and draw them.
   * @param {Variation} variation
   * @returns {Promise<[Frame | null, Frame | null]>} null where a newer request superseded it
   */
  async #request(variation) {
    const { view, without } = this;
    const [frame, frameWithout] = await Promise.all([
      view.vary(variation),
      without?.request({ variation }).catch(() => null) ?? null,
    ]);
    if (view.frame && frameWithout && without === this.without) {
      this.withoutPanel.draw(frameWithout, view.frame);
    }
    return [frame, frameWithout];
  }

  /**
   * Move a variation from end to end, then back to where it was.
   * @param {VariationEntry} entry
   */
  async #sweep(entry) {
    const start = this.sliders.variation;
    const { labels = [], predicted = [] } = this.view.frame?.info ?? {};
    const label = labels[0] ?? predicted[0];
    if (typeof label !== "number") return;
    const { opened } = this;
    this.isSweeping = true;
    /** @type {SweepPoint[]} */
    const points = [];
    for (const value of sweepValues(entry)) {
      const variation = { ...start, [entry.name]: value };
      this.sliders.set(variation);
      const [frame, without] = await this.#request(variation);
      if (!frame || !this.isSweeping || opened !== this.opened) return;
      points.push({ value, frame, without });
      this.chart.draw(entry, points, label, frame.info.classes[label] ?? String(label));
    }
    this.#vary(start);
  }

  /** @param {SweepPoint} point */
  #showPoint({ value }) {
    const { entry } = this.chart;
    if (entry) this.#vary({ ...this.sliders.variation, [entry.name]: value });
  }
}

/**
 * Return the card of a checkpoint of which no more than its name is known.
 * @param {string} name
 * @returns {WeightsCard}
 */
const checkpointCard = (name) => ({
  name,
  title: `Checkpoint ${name}`,
  description: "",
  subject: "",
  dataset: "",
  distortion: "",
  classes: [],
  transformers: null,
  without_transformer: null,
});
