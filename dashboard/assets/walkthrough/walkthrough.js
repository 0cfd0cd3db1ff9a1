// The walkthrough "How it works": steps on one page, of which one is shown at a time, each with one figure.

import { element, icon, ICONS, setText } from "../ui/dom.js";
import { galleryPicture } from "../picture/gallery.js";
import { PictureSource } from "../picture/picture-source.js";
import { QuestionCard } from "./question-card.js";
import { codeLink, paperLink } from "./step-links.js";
import { STEPS } from "./steps.js";
import { WalkthroughPicture } from "./walkthrough-picture.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { ChosenPicture } from "../picture/picture-source.js" */
/** @import { Step } from "./steps.js" */
/** @import { Figure, WalkthroughContext } from "./walkthrough-picture.js" */

// What pictures of the gallery show, for the network of the figures.
const SUBJECT = "digit";
const PRESENT_KEY = "f";
// Elements that need the keys themselves.
const KEY_ELEMENTS = "input, textarea, select, [contenteditable], [role=radio], [role=tab]";

// Browsers accept only so many changes of the address.
const ADDRESS_DELAY_MILLISECONDS = 300;

/**
 * One step of the page.
 * @typedef {object} Page
 * @property {Step} step
 * @property {HTMLElement} element
 * @property {HTMLElement} container of the figure
 * @property {HTMLAnchorElement} link in the list of steps
 * @property {QuestionCard | null} question
 * @property {Figure | null} figure null until it is first shown
 */

// Width of a page of A4 or letter paper, less its margins.
const PRINTED_WIDTH = "720px";

export class Walkthrough {
  /** @param {Api} api */
  constructor(api) {
    this.picture = new WalkthroughPicture(api);
    this.isShown = false;
    this.isPresenting = false;
    /** @type {string | null} */
    this.galleryName = null; // of the picture, if it is one of the gallery; null for the first one
    this.opening = Promise.resolve(); // settles when the picture that was chosen last is open
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    /** @type {Set<string>} */
    this.parameters = new Set(); // all that figures have had in the address
    /**
     * Called when what `query` returns has changed.
     * @type {() => void}
     */
    this.onchange = () => {};
    /**
     * Called when another step is shown: a new entry of the browser's history.
     * @type {() => void}
     */
    this.onstep = () => {};
    /** @type {WalkthroughContext} */
    this.context = { api, picture: this.picture, changed: () => this.#changed() };
    this.pages = STEPS.map((step, index) => this.#createPage(step, index));
    this.current = this.pages[0];
    this.message = element("p.stn-walkthrough-message", { aria: { live: "polite" } });
    this.announcement = element("p.stn-visually-hidden", { aria: { live: "polite" } });
    this.previous = this.#moveButton(-1);
    this.next = this.#moveButton(1);
    this.present = element("button.stn-button.stn-small", {
      type: "button",
      title: "Hide the text and enlarge the figure (f)",
      onclick: () => this.#present(!this.isPresenting),
    });
    this.printing = element("button.stn-button.stn-small", {
      type: "button",
      title: "Print all steps, or save them as a PDF",
      onclick: () => this.#print(),
    }, "Print");
    /** @type {PictureSource | null} */
    this.source = null; // null until the walkthrough is first shown
    this.otherPicture = element(
      "button.stn-button.stn-small",
      { type: "button", aria: { expanded: "false" }, onclick: () => this.#toggleSource() },
      "Another picture",
    );
    const steps = this.pages.map(({ link }) => element("li", {}, link));
    this.head = element(
      "nav.stn-walkthrough-head",
      { aria: { label: "Steps" } },
      element("ol.stn-walkthrough-steps", {}, ...steps),
      element("div.stn-walkthrough-buttons", {}, this.otherPicture, this.printing, this.present),
    );
    this.element = element(
      "div.stn-walkthrough",
      {},
      this.head,
      this.announcement,
      this.message,
      ...this.pages.map((page) => page.element),
      element("div.stn-walkthrough-moves", {}, this.previous, this.next),
    );
    document.addEventListener("keydown", (event) => this.#handleKey(event));
    addEventListener("beforeprint", () => this.isShown && this.#showAll());
    addEventListener("afterprint", () => this.isShown && this.#hideOthers());
  }

  /**
   * @param {Step} step
   * @param {number} index
   * @returns {Page}
   */
  #createPage(step, index) {
    const container = element("div.stn-walkthrough-figure");
    const question = step.question
      ? new QuestionCard(step.question, container, () => created.figure?.playAnswer?.())
      : null;
    const link = element(
      "a.stn-walkthrough-step-link",
      { title: step.title },
      element("span.stn-walkthrough-number", {}, String(index + 1)),
      element("span.stn-walkthrough-name", {}, step.name),
    );
    link.onclick = (event) => {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.#go(index);
    };
    const section = element(
      "section.stn-walkthrough-step",
      { hidden: true, aria: { label: `Step ${index + 1}: ${step.title}` } },
      element("h2.stn-walkthrough-title", {}, step.title),
      element(
        "div.stn-walkthrough-text",
        {},
        ...step.sentences.map((sentence) => element("p", {}, sentence)),
      ),
      ...(question ? [question.element] : []),
      container,
      element("p.stn-walkthrough-sources", {}, paperLink(step), codeLink(this.context.api, step)),
    );
    /** @type {Page} */
    const created = { step, element: section, container, link, question, figure: null };
    return created;
  }

  /** @param {-1 | 1} direction */
  #moveButton(direction) {
    const button = element("button.stn-button", { type: "button" });
    button.onclick = () => this.#go(this.pages.indexOf(this.current) + direction);
    return button;
  }

  /**
   * Show the step that an address names, with its figure's state.
   * @param {URLSearchParams} query
   */
  async show(query) {
    // Streamlit updates a part at any time.
    if (this.isShown && this.current.figure) return;
    this.isShown = true;
    const source = this.source ??= this.#createSource();
    this.isPresenting = query.get("present") === "1";
    const id = query.get("part");
    const page = this.pages.find(({ step }) => step.id === id) ?? this.pages[0];
    this.#showPage(page);
    try {
      await this.picture.load();
    } catch (problem) {
      setText(this.message, /** @type {Error} */ (problem).message);
      return;
    }
    const other = galleryPicture(query.get("picture"));
    if (other && other.name !== this.galleryName) {
      await source.openGallery(other);
      await this.opening;
    }
    if (!this.isShown) return;
    const figure = this.#createFigure(page);
    figure.restore(query);
    // A link to a figure's state shows it without the question.
    if (page === this.current && Object.keys(this.#noteParameters()).length) {
      page.question?.reveal();
    }
    this.#showPage(this.current);
    // What an entry of the history leaves out stays as it is, and is written into its address.
    if (id) this.#changed();
  }

  /**
   * Show a picture, as if it had been chosen.
   * @param {Blob} blob
   */
  take(blob) {
    this.opening = this.#choose({ blob, gallery: null });
  }

  hide() {
    this.isShown = false;
    this.source?.closeCamera();
    this.current.figure?.hide();
    document.documentElement.classList.remove("stn-walkthrough-presenting");
  }

  /**
   * Return the walkthrough's parameters of the address; null for those that are left out.
   * @returns {Record<string, string | null>}
   */
  query() {
    const own = this.#noteParameters();
    const others = [...this.parameters].map((name) => [name, null]);
    return {
      ...Object.fromEntries(others),
      part: this.current.step.id,
      picture: this.galleryName,
      present: this.isPresenting ? "1" : null,
      ...own,
    };
  }

  #createSource() {
    const source = new PictureSource((picture) => (this.opening = this.#choose(picture)), {
      subject: SUBJECT,
    });
    source.element.hidden = true;
    this.head.after(source.element);
    source.acceptDrops(this.element);
    return source;
  }

  #toggleSource() {
    if (!this.source) return;
    const { element: panel } = this.source;
    panel.hidden = !panel.hidden;
    this.otherPicture.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) this.source.closeCamera();
  }

  /**
   * Show all figures of another picture.
   * @param {ChosenPicture} chosen
   */
  async #choose({ blob, gallery }) {
    setText(this.message, "Opening the picture …");
    try {
      await this.picture.open(blob);
      this.message.removeAttribute("role");
      this.galleryName = gallery?.name ?? null;
      setText(this.message, "");
      this.#changed();
    } catch (problem) {
      this.message.setAttribute("role", "alert");
      setText(this.message, /** @type {Error} */ (problem).message);
    }
  }

  /** Note what the figure has in the address, to be left out with other figures; return it. */
  #noteParameters() {
    const own = this.current.figure?.query() ?? {};
    for (const name of Object.keys(own)) this.parameters.add(name);
    return own;
  }

  /** @param {Page} page */
  #createFigure(page) {
    if (!page.figure) {
      page.figure = page.step.create(this.context);
      page.container.append(page.figure.element);
    }
    return page.figure;
  }

  /** Print all steps, once the server has computed what their figures show. */
  async #print() {
    this.printing.disabled = true;
    setText(this.message, "Computing all figures …");
    // As wide as a page of paper: what is drawn on a canvas does not follow a later change.
    this.element.style.width = PRINTED_WIDTH;
    await Promise.all(this.#showAll());
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    setText(this.message, "");
    print();
    this.element.style.width = "";
    this.printing.disabled = false;
  }

  /** Show all steps, to be printed; return what settles when the figures are drawn. */
  #showAll() {
    if (!this.picture.loaded) return [];
    return this.pages.map((page) => {
      page.element.hidden = false;
      return this.#createFigure(page).show();
    });
  }

  #hideOthers() {
    for (const page of this.pages) if (page !== this.current) page.figure?.hide();
    this.#showPage(this.current);
  }

  /** @param {number} index of a step; beyond the ends nothing happens */
  #go(index) {
    const page = this.pages[index];
    if (!page || page === this.current) return;
    // The entry that is left holds the figure as it is now.
    this.onchange();
    this.current.figure?.hide();
    if (this.picture.loaded) this.#createFigure(page);
    this.#showPage(page);
    setText(this.announcement, `Step ${index + 1} of ${this.pages.length}: ${page.step.title}`);
    this.onstep();
    document.querySelector(".stMain")?.scrollTo(0, 0);
  }

  /** @param {Page} page */
  #showPage(page) {
    this.current = page;
    const index = this.pages.indexOf(page);
    for (const each of this.pages) {
      each.element.hidden = each !== page;
      if (each === page) each.link.setAttribute("aria-current", "step");
      else each.link.removeAttribute("aria-current");
      each.link.href = this.#addressOf(each);
    }
    labelMove(this.previous, this.pages[index - 1], "back");
    labelMove(this.next, this.pages[index + 1], "next");
    this.#applyPresenting();
    page.figure?.show();
  }

  /**
   * Return the address of a step in the default state of its figure.
   * @param {Page} page
   */
  #addressOf({ step }) {
    const address = new URL(location.href);
    for (const name of this.parameters) address.searchParams.delete(name);
    address.searchParams.set("part", step.id);
    return address.search;
  }

  /** @param {boolean} isPresenting */
  #present(isPresenting) {
    this.isPresenting = isPresenting;
    this.#applyPresenting();
    this.onchange();
  }

  #applyPresenting() {
    const { isPresenting } = this;
    this.element.toggleAttribute("data-present", isPresenting);
    document.documentElement.classList.toggle(
      "stn-walkthrough-presenting",
      isPresenting && this.isShown,
    );
    setText(this.present, isPresenting ? "Show the text" : "Present");
    this.present.setAttribute("aria-pressed", String(isPresenting));
    if (isPresenting) this.current.question?.reveal();
  }

  /** Note that the figure's state has changed, once for all changes of a while. */
  #changed() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      if (this.isShown) this.onchange();
    }, ADDRESS_DELAY_MILLISECONDS);
  }

  /** @param {KeyboardEvent} event */
  #handleKey(event) {
    if (event.key === "Escape" && this.isShown && this.isPresenting) this.#present(false);
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!this.isShown || !(direction || event.key === PRESENT_KEY) || event.defaultPrevented) {
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const target = event.composedPath()[0];
    if (target instanceof Element && target.closest(KEY_ELEMENTS)) return;
    event.preventDefault();
    if (direction) this.#go(this.pages.indexOf(this.current) + direction);
    else this.#present(!this.isPresenting);
  }
}

/**
 * @param {HTMLButtonElement} button
 * @param {Page | undefined} page where it leads; it is hidden without one
 * @param {"back" | "next"} name of its icon
 */
function labelMove(button, page, name) {
  button.style.visibility = page ? "" : "hidden";
  const label = element("span", {}, page?.step.title ?? "");
  const arrow = icon(ICONS[name]);
  button.replaceChildren(...(name === "back" ? [arrow, label] : [label, arrow]));
  button.setAttribute(
    "aria-label",
    `${name === "back" ? "Previous" : "Next"} step: ${page?.step.title}`,
  );
}
