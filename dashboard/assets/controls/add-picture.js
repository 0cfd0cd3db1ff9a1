// Adds a picture to the probes of the run: chosen with a button, or dropped onto the stage.

import { element, pictureInput, setText } from "../ui/dom.js";

/** @import { RunStore } from "../playback/run-store.js" */

const ADD = "Add a picture";

/**
 * Return why no picture can be added to the run, as a sentence; null if one can. Exported for tests.
 * @param {Partial<Pick<RunStore, "run" | "disconnected" | "isPlayingPlaceholder">>} store
 */
export function disabledReason({ run, disconnected, isPlayingPlaceholder }) {
  if (!run || isPlayingPlaceholder) {
    return "A picture can be added once this run has recorded a frame.";
  }
  if (disconnected) return "The connection is lost; a picture can be added once it is back.";
  return run.deleted ? "This run has been deleted." : run.picture_refusal;
}

/** The button, a field for the picture's label, and the stage as a place to drop a picture. */
export class AddPicture {
  /**
   * @param {RunStore} store
   * @param {HTMLElement} stage onto which pictures can be dropped
   * @param {(problem: Error | null) => void} setProblem called with why a picture was refused
   */
  constructor(store, stage, setProblem) {
    this.store = store;
    this.setProblem = setProblem;
    this.isUploading = false;
    this.file = pictureInput();
    this.file.onchange = () => this.#upload(this.file.files?.[0]);
    this.button = element("button.stn-button.stn-small.stn-add-button", { type: "button" }, ADD);
    this.button.onclick = () => this.file.click();
    this.classes = ""; // the offered labels
    this.labels = element("datalist", { id: "stn-classes" });
    this.label = element("input.stn-add-label", { type: "text", placeholder: "Label (optional)" });
    this.label.setAttribute("list", this.labels.id);
    this.label.setAttribute("aria-label", "Label of the picture (optional)");
    const parts = [this.button, this.label, this.labels, this.file];
    this.element = element("div.stn-add-picture.stn-acting", {}, ...parts);
    store.addEventListener("change", () => this.update());
    this.#acceptDrops(stage);
    this.update();
  }

  update() {
    const reason = disabledReason(this.store);
    this.button.disabled = this.isUploading || reason !== null;
    this.label.disabled = this.button.disabled;
    this.button.title = reason ??
      "Add a picture to the probes, to see how the network learns to sample it; or drop it onto " +
        "the stage";
    setText(this.button, this.isUploading ? "Adding …" : ADD);
    const classes = this.store.frame?.info.classes ?? [];
    if (classes.join() === this.classes) return;
    this.classes = classes.join();
    this.labels.replaceChildren(...classes.map((name) => element("option", { value: name })));
  }

  /** @param {HTMLElement} stage */
  #acceptDrops(stage) {
    /** @param {boolean} isOver */
    const mark = (isOver) =>
      stage.toggleAttribute("data-drop", isOver && disabledReason(this.store) === null);
    stage.addEventListener("dragover", (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      // Otherwise the browser would open the picture in place of the page.
      event.preventDefault();
      mark(true);
    });
    stage.addEventListener("dragleave", () => mark(false));
    stage.addEventListener("drop", (event) => {
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      mark(false);
      const reason = disabledReason(this.store);
      if (reason === null) this.#upload(file);
      else this.setProblem(new Error(reason));
    });
  }

  /** @param {File | undefined} file */
  async #upload(file) {
    // So that the same file can be chosen again.
    this.file.value = "";
    const { api, id } = this.store;
    if (!file || id === null || this.isUploading) return;
    this.isUploading = true;
    this.setProblem(null); // that of the picture before
    this.update();
    try {
      await api.addPicture(id, file, this.label.value);
      this.label.value = "";
      this.setProblem(null);
    } catch (problem) {
      this.setProblem(/** @type {Error} */ (problem));
    } finally {
      this.isUploading = false;
      this.update();
    }
  }
}
