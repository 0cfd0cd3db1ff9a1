// A picture of one's own joins the probes: chosen with a button, or dropped onto the stage.

import { element, setText } from "../ui/dom.js";
import { limitOf } from "../protocol/catalog.js";

const KINDS = ".png,.jpg,.jpeg,.webp,.gif,.bmp";

/** Why no picture can join the run that is watched, as a sentence; null where one can. */
// Exported for tests.
export function whyNot({ run, lost, waiting }) {
  if (!run || waiting) return "A picture can join once this run has something to show.";
  if (lost) return "The connection is lost; a picture can join once it is back.";
  if (run.imported) return "This recording came from a file: a picture can join what is trained.";
  if (!["running", "paused"].includes(run.status)) {
    return `A picture can join while a run trains or is paused; this one is ${run.status}.`;
  }
  if (!run.owned) return "This run is trained by another process: it can be watched, not joined.";
  if (run.probes >= limitOf("probes")) {
    return `This run watches ${run.probes} probes, as many as a run can.`;
  }
  return null;
}

/** The button, a field for what the picture shows, and the stage as a place to drop one. */
export class Joining {
  /**
   * @param {HTMLElement} stage takes pictures that are dropped onto it
   * @param {(problem: Error | null) => void} say tells what a picture was refused with
   */
  constructor(watch, stage, say) {
    this.watch = watch;
    this.say = say;
    this.file = element("input", { type: "file", accept: KINDS, hidden: true });
    this.file.onchange = () => this.#take(this.file.files[0]);
    this.button = element(
      "button.stn-button.stn-small.stn-join",
      { type: "button" },
      "Add a picture",
    );
    this.button.onclick = () => this.file.click();
    this.names = element("datalist", { id: "stn-classes" });
    this.label = element("input.stn-join-label", { type: "text", placeholder: "label, if known" });
    this.label.setAttribute("list", this.names.id);
    this.label.setAttribute("aria-label", "Label of the picture, if it is known");
    const parts = [this.button, this.label, this.names, this.file];
    this.element = element("div.stn-joining", {}, ...parts);
    watch.addEventListener("change", () => this.show());
    this.#acceptDrops(stage);
    this.show();
  }

  /** Shows whether a picture can join just now. */
  show() {
    const reason = whyNot(this.watch);
    const busy = Boolean(this.joining);
    this.button.disabled = busy || reason !== null;
    this.label.disabled = this.button.disabled;
    this.button.title = reason ?? "Watch a picture of your own as well; or drop it onto the stage";
    setText(this.button, busy ? "Adding …" : "Add a picture");
    const classes = this.watch.shown?.info.classes ?? [];
    if (classes.join() !== this.listed) {
      this.listed = classes.join();
      this.names.replaceChildren(...classes.map((name) => element("option", { value: name })));
    }
  }

  #acceptDrops(stage) {
    const over = (is) => stage.toggleAttribute("data-drop", is && whyNot(this.watch) === null);
    stage.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      // Else the browser would leave the page for the picture.
      event.preventDefault();
      over(true);
    });
    stage.addEventListener("dragleave", () => over(false));
    stage.addEventListener("drop", (event) => {
      const [file] = event.dataTransfer.files;
      if (!file) return;
      event.preventDefault();
      over(false);
      const reason = whyNot(this.watch);
      if (reason === null) this.#take(file);
      else this.say(new Error(reason));
    });
  }

  async #take(file) {
    // The same file can be chosen again.
    this.file.value = "";
    if (!file || this.joining) return;
    const { watch } = this;
    this.joining = watch.api.join(watch.id, file, this.label.value);
    this.show();
    try {
      await this.joining;
      this.label.value = "";
      this.say(null);
    } catch (problem) {
      this.say(problem);
    } finally {
      this.joining = null;
      this.show();
    }
  }
}
