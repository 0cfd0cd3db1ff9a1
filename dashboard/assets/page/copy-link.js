// The button that copies a link to what the page shows, for others.

import { element, setText } from "../ui/dom.js";
import { linkAudience, sharedLink } from "../protocol/access.js";

const HINT = "Copy a link to what is shown here: the run, the step and the view";

export class CopyLink {
  /**
   * @param {{isOwnServer: boolean}} api
   * @param {() => void} updateAddress called to write what is shown into the page's address
   */
  constructor(api, updateAddress) {
    this.api = api;
    this.updateAddress = updateAddress;
    this.button = element(
      "button.stn-button.stn-small",
      { type: "button", title: HINT },
      "Copy link",
    );
    this.button.onclick = () => this.#copy();
    this.message = element("span", { role: "status" });
    this.field = element("input.stn-entry", {
      type: "text",
      readOnly: true,
      aria: { label: "Link to this view" },
    });
    this.result = element("div.stn-copied", { hidden: true }, this.message, this.field);
    this.element = element("div.stn-copy-link", {}, this.button, this.result);
    this.element.addEventListener("focusout", (event) => this.#closeUnlessInside(event));
    this.element.addEventListener("keydown", (event) => this.#closeOnEscape(event));
  }

  /** Copy the link, or select it where the browser lets no script copy: on a page without TLS. */
  async #copy() {
    this.updateAddress();
    const link = sharedLink(location.href, this.api.isOwnServer);
    this.field.value = link;
    this.result.hidden = false;
    const isCopied = await copyText(link);
    const done = isCopied ? "Copied." : "Copy the selected link with Ctrl+C or ⌘C.";
    setText(this.message, `${done} ${linkAudience(link)}`);
    this.field.focus();
    this.field.select();
  }

  /** @param {FocusEvent} event */
  #closeUnlessInside({ relatedTarget }) {
    if (!(relatedTarget instanceof Node && this.element.contains(relatedTarget))) this.#close();
  }

  /** @param {KeyboardEvent} event */
  #closeOnEscape(event) {
    if (event.key !== "Escape" || this.result.hidden) return;
    this.button.focus();
    this.#close();
  }

  #close() {
    this.result.hidden = true;
    setText(this.message, "");
  }
}

/**
 * Copy a text; return whether the browser let us.
 * @param {string} text
 */
async function copyText(text) {
  try {
    // Undefined on a page without TLS, in spite of its types.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
