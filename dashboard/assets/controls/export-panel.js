// The panel that exports a run as an animated GIF: its options, a preview, and the file.

import { element, setText } from "../ui/dom.js";
import { fileSize, withFieldTitles } from "../ui/text.js";
import { exportDefaults, limitOf } from "../protocol/catalog.js";

/** @import { RunStore } from "../playback/run-store.js" */

/** @type {Record<string, string>} */
const TITLES = {
  range: "Content",
  first: "From step",
  last: "To step",
  frames: "Frames",
  samples: "Probes",
  fps: "Frames per second",
  scale: "Scale",
};
const CREATE = "Create GIF";
const DEFAULT_FRAMES = 60;
const FIRST_EPOCH = "First epoch";
// What the server chooses instead where the length of an epoch is unknown.
const WHOLE_RUN = "Whole run";

export class ExportPanel {
  /** @param {RunStore} store */
  constructor(store) {
    this.store = store;
    /** @type {string | undefined} */
    this.id = undefined; // of the run that the preview shows
    /** @type {string | null} */
    this.url = null; // of the file
    /** @type {AbortController | null} */
    this.request = null;
    this.create = element("button.stn-button.stn-primary", { type: "button" }, CREATE);
    this.create.onclick = () => (this.request ? this.request.abort() : this.#create());
    this.state = element("span.stn-panel-state", { role: "status" });
    this.preview = element("img.stn-gif", { alt: "" });
    this.link = element("a.stn-button", { hidden: true }, "Download");
    this.evolution = new Option(FIRST_EPOCH, "epoch");
    this.moving = new Option("Moving probes", "moving");
    this.range = element(
      "select",
      {},
      this.evolution,
      new Option("Chosen steps", "steps"),
      this.moving,
    );
    this.first = numberField({ value: 0, min: 0, step: "" });
    this.last = numberField({ min: 0, step: "" });
    this.frames = numberField({ value: DEFAULT_FRAMES, min: 2 });
    this.samples = numberField({ min: 1 });
    this.fps = numberField({ min: 1 });
    this.scale = numberField({});
    const { range, first, last, frames, samples, fps, scale } = this;
    const fields = Object.entries({ range, first, last, frames, samples, fps, scale }).map((
      [name, field],
    ) => element("label.stn-field", {}, element("span", {}, TITLES[name]), field));
    range.onchange = () => this.#updateRange();
    this.#updateRange();
    this.element = element(
      "details.stn-panel.stn-acting",
      {},
      element("summary.stn-summary", {}, "Export"),
      element("div.stn-fields", {}, ...fields),
      element("div.stn-row", {}, this.create, this.link, this.state),
      this.preview,
    );
  }

  /** Fit the fields to the shown run and the server's limits. */
  update() {
    const { playback, frame, shownRun } = this.store;
    setText(this.evolution, shownRun?.steps_per_epoch === null ? WHOLE_RUN : FIRST_EPOCH);
    this.moving.disabled = Boolean(shownRun?.watched);
    this.last.placeholder = String(playback?.player.steps.at(-1) ?? "");
    setMax(this.samples, frame?.info.labels.length ?? Infinity);
    setMax(this.frames, limitOf("export_frames"));
    setMax(this.fps, limitOf("export_fps"));
    setMax(this.scale, limitOf("export_scale"));
    this.#updatePlaceholders();
    const id = playback?.cache.id;
    if (id !== this.id) this.#clear(id);
  }

  /** Show the server's defaults in the fields that are left empty for them. */
  #updatePlaceholders() {
    const defaults = exportDefaults();
    if (!defaults) return;
    const { tenths_fps: tenthsFps, fps, samples, scale, min_scale: minScale } = defaults;
    this.fps.placeholder = String(this.range.value === "epoch" ? tenthsFps : fps);
    this.samples.placeholder = String(samples[this.#layout]);
    Object.assign(this.scale, { placeholder: String(scale), min: minScale, step: minScale });
  }

  get #layout() {
    return this.range.value === "moving" ? "moving" : "evolution";
  }

  /** Enable the fields of the range: only chosen steps have a first, a last and a number of frames. */
  #updateRange() {
    const isChosen = this.range.value === "steps";
    for (const field of [this.first, this.last, this.frames]) field.disabled = !isChosen;
    this.#updatePlaceholders();
  }

  #options() {
    const { range, first, last, frames, samples, fps, scale } = this;
    const isChosen = range.value === "steps";
    return {
      layout: this.#layout,
      first: isChosen ? first.value || null : null,
      last: isChosen ? last.value || null : null,
      frames: isChosen ? frames.value || null : null,
      samples: samples.value || null,
      fps: fps.value || null,
      scale: scale.value || null,
    };
  }

  async #create() {
    const id = this.store.playback?.cache.id;
    if (id === undefined) return;
    this.#clear(id);
    this.request = new AbortController();
    setText(this.create, "Cancel");
    setText(this.state, "Creating …");
    try {
      const file = await this.store.api.exportRun(id, this.#options(), this.request.signal);
      this.#showFile(id, file);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      setText(this.state, name === "AbortError" ? "Cancelled." : withFieldTitles(message, TITLES));
    } finally {
      this.request = null;
      setText(this.create, CREATE);
    }
  }

  /**
   * @param {string} id
   * @param {Blob} file
   */
  #showFile(id, file) {
    this.#clear(id);
    this.url = URL.createObjectURL(file);
    this.preview.src = this.url;
    this.preview.alt = `Run ${id} as an animation: inputs with their regions, and outputs.`;
    this.link.href = this.url;
    this.link.download = `stnscope-${id}.${exportDefaults()?.format}`;
    this.link.hidden = false;
    setText(this.state, fileSize(file.size));
  }

  /** @param {string | undefined} id */
  #clear(id) {
    this.id = id;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.preview.removeAttribute("src");
    this.link.hidden = true;
    setText(this.state, "");
  }
}

/** @param {object} properties */
const numberField = (properties) => element("input", { type: "number", step: 1, ...properties });

/**
 * @param {HTMLInputElement} field
 * @param {number} max Infinity for none
 */
function setMax(field, max) {
  field.max = Number.isFinite(max) ? String(max) : "";
}
