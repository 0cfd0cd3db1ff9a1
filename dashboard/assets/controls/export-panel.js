// A run as an animated GIF: what it is to show, a look at it, and the file to take home.

import { element, setText } from "../ui/dom.js";
import { size, withFieldTitles } from "../ui/text.js";

export class GifPanel {
  constructor(watch) {
    this.watch = watch;
    this.make = element("button.stn-button.stn-primary", { type: "button" }, "Make GIF");
    this.make.onclick = () => (this.making ? this.making.abort() : this.#make());
    this.state = element("span.stn-gif-state", { role: "status" });
    this.picture = element("img.stn-gif", { alt: "" });
    this.link = element("a.stn-button.stn-download", { hidden: true }, "Download");
    this.fields = this.#fields();
    const buttons = element("div.stn-row", {}, this.make, this.link, this.state);
    const summary = element("summary.stn-summary", {}, "Take it home as a GIF");
    const form = element(
      "div.stn-fields",
      {},
      ...Object.values(this.fields).map((f) => f.parentElement),
    );
    this.element = element("details.stn-panel", {}, summary, form, buttons, this.picture);
  }

  /** Fits the fields to the run that is shown. */
  show() {
    const steps = this.watch.reel?.player.steps ?? [];
    const { last, samples } = this.fields;
    last.placeholder = String(steps.at(-1) ?? "");
    const probes = this.watch.shown?.info.labels.length;
    if (probes) samples.max = probes;
    const id = this.watch.reel?.recording.id;
    if (id !== this.id) this.#clear(id);
  }

  #fields() {
    const range = element(
      "select",
      {},
      new Option("First epoch", "epoch"),
      new Option("Chosen steps", "steps"),
      new Option("Moving probes", "moving"),
    );
    const number = (value, min, max, step = 1) =>
      element("input", { type: "number", value, min, max, step });
    const fields = {
      range,
      first: number(0, 0, ""),
      last: number("", 0, ""),
      frames: number(60, 2, 500),
      samples: number(3, 1, 12),
      fps: number("", 1, 50),
      scale: number(1, 0.5, 4, 0.5),
    };
    for (const [name, field] of Object.entries(fields)) {
      const title = TITLES[name];
      element("label.stn-field", {}, element("span", {}, title), field);
    }
    range.onchange = () => showRange(fields);
    showRange(fields);
    return fields;
  }

  #options() {
    const { range, first, last, frames, samples, fps, scale } = this.fields;
    const chosen = range.value === "steps";
    return {
      format: "gif",
      layout: range.value === "moving" ? "moving" : "evolution",
      first: chosen ? first.value || null : null,
      last: chosen ? last.value || null : null,
      frames: chosen ? frames.value || null : null,
      samples: samples.value || null,
      fps: fps.value || null,
      scale: scale.value || null,
    };
  }

  async #make() {
    const { id } = this.watch.reel.recording;
    this.#clear(id);
    this.making = new AbortController();
    setText(this.make, "Cancel");
    setText(this.state, "Drawing …");
    try {
      const blob = await this.watch.api.export(id, this.#options(), this.making.signal);
      this.#offer(id, blob);
    } catch (problem) {
      setText(
        this.state,
        problem.name === "AbortError" ? "Cancelled." : withFieldTitles(problem.message, TITLES),
      );
    } finally {
      this.making = null;
      setText(this.make, "Make GIF");
    }
  }

  #offer(id, blob) {
    this.#clear(id);
    this.url = URL.createObjectURL(blob);
    this.picture.src = this.url;
    this.picture.alt = `Run ${id} as an animation: inputs with their regions, and outputs.`;
    this.link.href = this.url;
    this.link.download = `stnscope-${id}.gif`;
    this.link.hidden = false;
    setText(this.state, size(blob.size));
  }

  #clear(id) {
    this.id = id;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = null;
    this.picture.removeAttribute("src");
    this.link.hidden = true;
    setText(this.state, "");
  }
}

// Only chosen steps leave something to choose about them.
function showRange({ range, first, last, frames, fps }) {
  const chosen = range.value === "steps";
  for (const field of [first, last, frames]) field.disabled = !chosen;
  fps.placeholder = range.value === "epoch" ? "2" : "20";
}

const TITLES = {
  range: "What",
  first: "From step",
  last: "To step",
  frames: "Frames",
  samples: "Probes",
  fps: "Frames/s",
  scale: "Scale",
};
