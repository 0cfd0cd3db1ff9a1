// The panel that exports a run: its options, a preview, the progress, and the file.

import { element, setText } from "../ui/dom.js";
import { fileSize, integer } from "../ui/number-text.js";
import { withFieldTitles } from "../ui/run-text.js";
import { exportDefaults, exportFormats, limitOf } from "../protocol/catalog.js";
import { exportOptions, togglePicked, usedFields } from "./export-options.js";

/** @import { Export, ExportFormat, ExportPreview } from "../protocol/types.js" */
/** @import { RunStore } from "../playback/run-store.js" */
/** @import { View } from "../ui/view-state.js" */
/** @import { ExportFields } from "./export-options.js" */

/** @type {Record<string, string>} */
const TITLES = {
  format: "Format",
  layout: "Layout",
  range: "Steps",
  first: "From step",
  last: "To step",
  frames: "Frames",
  samples: "Probes",
  fps: "Frames per second",
  seconds: "Seconds",
  scale: "Scale",
  width: "Width in pixels",
  charts: "Charts beside",
  still: "Picture of",
  table: "Table",
};
const DEFAULT_FRAMES = 60;
// What a layout shows by itself.
const FIRST_EPOCH = "First epoch";
const WHOLE_RUN = "Whole run";
const LAP = "Closing lap";
const PICK = "Press tiles on the stage to choose probes.";
// Files of these forms are shown as pictures.
const PICTURE_TYPE = /^image\//;
// Milliseconds from the last change of an option to its preview, and between polls of a job.
const PREVIEW_DELAY = 350;
const POLL_INTERVAL = 250;

export class ExportPanel {
  /**
   * @param {RunStore} store
   * @param {() => View} view returns what the page shows
   * @param {(picked: number[] | null) => void} onPick called with the probes that are picked, null
   *   while none can be
   */
  constructor(store, view, onPick) {
    this.store = store;
    this.view = view;
    this.onPick = onPick;
    /** @type {string | undefined} */
    this.id = undefined; // of the run that the panel is about
    /** @type {number[]} */
    this.picked = [];
    /** @type {string | null} */
    this.url = null; // of the file
    /** @type {AbortController | null} */
    this.request = null; // of the file that is being made
    /** @type {AbortController | null} */
    this.previewRequest = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.previewTimer = undefined;
    this.previewed = ""; // the options of the preview that is shown or requested
    this.formats = "";
    this.create = element("button.stn-button.stn-primary", { type: "button" }, "Create");
    this.create.onclick = () => (this.request ? this.request.abort() : this.#create());
    this.state = element("span.stn-panel-state", { role: "status" });
    this.facts = element("p.stn-export-facts");
    this.preview = element("img.stn-gif", { alt: "" });
    this.link = element("a.stn-button", { hidden: true }, "Download");
    this.description = element("p.stn-export-facts");
    this.clear = element("button.stn-button", { type: "button", hidden: true }, "Clear choice");
    this.clear.onclick = () => this.#pick([]);
    this.pick = element("span");
    this.evolution = new Option(FIRST_EPOCH, "epoch");
    this.moving = new Option("Moving probes", "moving");
    this.fields = {
      format: element("select", {}),
      layout: element(
        "select",
        {},
        new Option("Evolution", "evolution"),
        this.moving,
        new Option("Stage", "stage"),
        new Option("One probe", "one"),
      ),
      range: element("select", {}, this.evolution, new Option("Chosen steps", "steps")),
      first: numberField({ value: 0, min: 0, step: "" }),
      last: numberField({ min: 0, step: "" }),
      frames: numberField({ value: DEFAULT_FRAMES, min: 1 }),
      samples: numberField({ min: 1 }),
      fps: numberField({ min: 0.01, step: "any" }),
      seconds: numberField({ min: 0.1, step: "any" }),
      scale: numberField({}),
      width: numberField({ min: 100 }),
      charts: element("input", { type: "checkbox" }),
      still: element(
        "select",
        {},
        new Option("All frames", "sheet"),
        new Option("The last frame", "poster"),
      ),
      table: element(
        "select",
        {},
        new Option("Probes", "probes"),
        new Option("Sampling grids", "grids"),
        new Option("Metrics", "metrics"),
      ),
    };
    this.labels = Object.fromEntries(
      Object.entries(this.fields).map(([name, field]) => [
        name,
        element("label.stn-field", {}, element("span", {}, TITLES[name]), field),
      ]),
    );
    this.pickRow = element("div.stn-row", {}, this.pick, this.clear);
    this.element = element(
      "details.stn-panel.stn-acting",
      {},
      element("summary.stn-summary", {}, "Export"),
      element("div.stn-fields", {}, ...Object.values(this.labels)),
      this.description,
      this.pickRow,
      this.facts,
      element("div.stn-row", {}, this.create, this.link, this.state),
      this.preview,
    );
    this.element.oninput = () => this.#optionsChanged();
    this.element.ontoggle = () => this.#optionsChanged();
  }

  /** Whether pressing a tile picks its probe. */
  get isPicking() {
    return this.element.open && Boolean(this.#format?.options.includes("probes"));
  }

  /**
   * Pick a probe, or take it away again.
   * @param {number} probe
   */
  toggleProbe(probe) {
    const isSingle = this.fields.layout.value === "one";
    this.#pick(isSingle ? [probe] : togglePicked(this.picked, probe));
  }

  /** Fit the fields to the shown run and the server's limits. */
  update() {
    const { playback, frame, shownRun } = this.store;
    this.#updateFormats();
    this.moving.disabled = Boolean(shownRun?.watched);
    this.fields.last.placeholder = String(playback?.player.steps.at(-1) ?? "");
    setMax(this.fields.samples, frame?.info.labels.length ?? Infinity);
    for (const name of /** @type {const} */ (["frames", "fps", "scale", "width", "seconds"])) {
      setMax(this.fields[name], limitOf(`export_${name}`));
    }
    this.#updateFields();
    const id = playback?.cache.id;
    if (id === this.id) return;
    this.#clear(id);
    this.#pick([]);
  }

  /** What is drawn on the page has changed, which some layouts show. */
  viewChanged() {
    this.#requestPreview();
  }

  /** @returns {ExportFormat | undefined} */
  get #format() {
    return exportFormats().find(({ name }) => name === this.fields.format.value);
  }

  #updateFormats() {
    const names = exportFormats().map(({ name }) => name).join();
    if (names === this.formats) return;
    this.formats = names;
    const { format } = this.fields;
    format.replaceChildren(...exportFormats().map(({ name, title }) => new Option(title, name)));
    format.value = exportDefaults()?.format ?? "";
  }

  #optionsChanged() {
    this.#updateFields();
    this.onPick(this.isPicking ? this.picked : null);
    this.#requestPreview();
  }

  /** Show the fields that have an effect, with the server's defaults where they are empty. */
  #updateFields() {
    const format = this.#format;
    const defaults = exportDefaults();
    if (!format || !defaults) return;
    const { layout, range, still } = this.#values();
    const used = usedFields(format, { layout, range, still });
    for (const [name, label] of Object.entries(this.labels)) label.hidden = !used.has(name);
    const isWhole = this.store.shownRun?.steps_per_epoch === null || layout !== "evolution";
    const isAnimation = format.options.includes("layout");
    setText(
      this.evolution,
      layout === "moving" ? LAP : isWhole || !isAnimation ? WHOLE_RUN : FIRST_EPOCH,
    );
    setText(this.description, format.description);
    setText(
      this.pick,
      this.picked.length
        ? `Chosen probes: ${this.picked.map((each) => each + 1).join(", ")}`
        : PICK,
    );
    this.pickRow.hidden = !format.options.includes("probes");
    this.clear.hidden = this.picked.length === 0;
    this.fields.samples.disabled = this.picked.length > 0;
    const isTenths = layout === "evolution" && range === "epoch" && !isWhole;
    const { tenths_fps: tenthsFps, fps, samples, scale, min_scale: minScale } = defaults;
    this.fields.fps.placeholder = String(isTenths ? tenthsFps : fps);
    this.fields.samples.placeholder = isAnimation ? String(samples[layout] ?? "") : "";
    Object.assign(this.fields.scale, { placeholder: String(scale), min: minScale, step: minScale });
  }

  /** @returns {ExportFields} */
  #values() {
    const entries = Object.entries(this.fields).map(([name, field]) => [name, field.value]);
    const values = /** @type {ExportFields} */ (Object.fromEntries(entries));
    return { ...values, charts: this.fields.charts.checked };
  }

  #options() {
    const format = this.#format;
    return format ? exportOptions(format, this.#values(), this.picked, this.view()) : null;
  }

  /** @param {number[]} picked */
  #pick(picked) {
    this.picked = picked;
    this.#optionsChanged();
  }

  /** Show what the file will be, once the options are left alone for a moment. */
  #requestPreview() {
    const options = this.element.open && this.id !== undefined ? this.#options() : null;
    const key = options ? JSON.stringify([this.id, options]) : "";
    if (key === this.previewed || this.request) return;
    this.previewed = key;
    clearTimeout(this.previewTimer);
    this.previewRequest?.abort();
    if (!options) return;
    this.previewTimer = setTimeout(() => this.#showPreview(options), PREVIEW_DELAY);
  }

  /** @param {Record<string, string | number>} options */
  async #showPreview(options) {
    const id = this.id;
    if (id === undefined) return;
    const request = this.previewRequest = new AbortController();
    try {
      const preview = await this.store.api.exportPreview(id, options, request.signal);
      this.#clear(id);
      setText(this.facts, previewText(preview, options.format === "pdf" ? "points" : "pixels"));
      if (preview.image) this.#showImage(preview.image, `The first frame of run ${id} as a file.`);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      if (name === "AbortError") return;
      this.#clear(id);
      setText(this.state, withFieldTitles(message, TITLES));
    }
  }

  async #create() {
    const { id } = this;
    const [format, options] = [this.#format, this.#options()];
    if (id === undefined || !format || !options) return;
    clearTimeout(this.previewTimer);
    this.previewRequest?.abort();
    const request = this.request = new AbortController();
    setText(this.create, "Cancel");
    setText(this.state, "Creating …");
    this.link.hidden = true;
    try {
      const job = await this.#makeFile(id, options, request.signal);
      const file = await this.store.api.exportFile(job.id, request.signal);
      this.#showFile(id, format, file, job);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      setText(this.state, name === "AbortError" ? "Cancelled." : withFieldTitles(message, TITLES));
    } finally {
      this.request = null;
      setText(this.create, "Create");
    }
  }

  /**
   * Start a job, show its progress, and return it when it is finished.
   * @param {string} id
   * @param {Record<string, string | number>} options
   * @param {AbortSignal} signal
   */
  async #makeFile(id, options, signal) {
    const { api } = this.store;
    let job = await api.startExport(id, options);
    try {
      while (job.file === null && job.error === null) {
        setText(this.state, progressText(job));
        await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
        job = await api.exportJob(job.id, signal);
      }
    } catch (error) {
      await api.cancelExport(job.id);
      throw error;
    }
    if (job.error) throw new Error(job.error);
    return job;
  }

  /**
   * @param {string} id
   * @param {ExportFormat} format
   * @param {Blob} file
   * @param {Export} job
   */
  #showFile(id, format, file, job) {
    const { alt } = this.preview;
    const shown = this.preview.getAttribute("src");
    this.#clear(id);
    this.url = URL.createObjectURL(file);
    if (PICTURE_TYPE.test(format.media_type)) {
      this.#showImage(
        this.url,
        `Run ${id} as ${format.title}: inputs with their regions, and outputs.`,
      );
    } else if (shown) this.#showImage(shown, alt);
    this.link.href = this.url;
    this.link.download = `stnscope-${id}.${format.suffix}`;
    this.link.hidden = false;
    const error = job.psnr === null ? "" : `, PSNR ${job.psnr.toFixed(1)} dB`;
    setText(this.state, fileSize(file.size) + error);
  }

  /**
   * @param {string} source
   * @param {string} alt
   */
  #showImage(source, alt) {
    this.preview.src = source;
    this.preview.alt = alt;
  }

  /** @param {string | undefined} id */
  #clear(id) {
    this.id = id;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.preview.removeAttribute("src");
    this.link.hidden = true;
    setText(this.state, "");
    setText(this.facts, "");
  }
}

/**
 * @param {ExportPreview} preview
 * @param {string} unit of its size
 */
function previewText({ width, height, frames, rows, seconds, bytes }, unit) {
  const parts = [
    width === null ? "" : `${width} × ${height} ${unit}`,
    frames === null ? "" : `${integer(frames)} ${frames === 1 ? "frame" : "frames"}`,
    rows === null ? "" : `${integer(rows)} ${rows === 1 ? "row" : "rows"}`,
    seconds === null ? "" : `${Number(seconds.toFixed(2))} s`,
    `about ${fileSize(bytes)}`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** @param {Export} job */
function progressText({ waiting, done, total }) {
  if (waiting) return `Waiting for ${waiting === 1 ? "another export" : `${waiting} exports`} …`;
  return total === null ? "Creating …" : `Creating: ${done} of ${total} frames`;
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
