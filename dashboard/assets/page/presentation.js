// The stage alone, as large as the screen: for a projector.

import { element } from "../ui/dom.js";

const HINT = "Show the stage alone on the full screen (f)";
// On the root element; the style sheets hide everything but the stage.
const CLASS = "stn-presenting";

export class Presentation {
  /** @param {() => void} onChange called when the space for the stage has changed */
  constructor(onChange) {
    this.onChange = onChange;
    this.button = element(
      "button.stn-button.stn-small",
      { type: "button", title: HINT },
      "Present",
    );
    this.button.onclick = () => this.toggle();
    // Escape leaves the full screen.
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement && this.isOn) this.#set(false);
    });
  }

  get isOn() {
    return document.documentElement.classList.contains(CLASS);
  }

  /** Begin, or end. */
  toggle() {
    this.#set(!this.isOn);
    if (this.isOn) this.#fillScreen();
    else if (document.fullscreenElement) document.exitFullscreen();
  }

  /** End: another tab is shown. */
  end() {
    if (this.isOn) this.toggle();
  }

  /** Some browsers, and frames in other pages, refuse; then the stage fills the window. */
  async #fillScreen() {
    try {
      await document.documentElement.requestFullscreen();
    } catch {
      this.onChange();
    }
  }

  /** @param {boolean} isOn */
  #set(isOn) {
    document.documentElement.classList.toggle(CLASS, isOn);
    this.onChange();
  }
}
