// Where a picture comes from: the gallery, a file, the clipboard, the camera, or a drawing.

import { Camera } from "./camera.js";
import { DrawingPad } from "./drawing-pad.js";
import { element, pictureInput } from "../ui/dom.js";
import { GALLERY, galleryUrl } from "./gallery.js";

/** @import { GalleryPicture } from "./gallery.js" */

/**
 * A picture that someone chose.
 * @typedef {object} ChosenPicture
 * @property {Blob} blob its file
 * @property {GalleryPicture | null} gallery which one of the gallery it is
 */

export class PictureSource {
  /**
   * @param {(picture: ChosenPicture) => void} onPicture
   * @param {{subject?: string}} options only pictures of this subject are offered
   */
  constructor(onPicture, { subject } = {}) {
    this.onPicture = onPicture;
    this.chosen = 0; // counts choices
    const pictures = GALLERY.filter((picture) => !subject || picture.subject === subject);
    this.thumbnails = new Map(pictures.map((each) => [each.name, this.#thumbnail(each)]));
    this.file = pictureInput();
    this.file.onchange = () => this.#takeFile();
    this.choose = this.#button("Choose a file", () => this.file.click());
    this.camera = new Camera((blob) => this.take(blob));
    this.pad = new DrawingPad((blob) => this.take(blob));
    this.cameraToggle = this.#toggle("Use the camera", this.camera.element, {
      open: () => this.camera.open(),
      close: () => this.camera.close(),
    });
    this.padToggle = this.#toggle("Draw a digit", this.pad.element);
    const heading = element("h3.stn-tab-heading", {}, "Your picture");
    const hint = "Or drop one here, or paste one anywhere with Ctrl+V or ⌘V.";
    this.element = element(
      "section.stn-source",
      { aria: { label: "Choice of a picture" } },
      heading,
      element("div.stn-source-buttons", {}, this.choose, this.cameraToggle, this.padToggle),
      this.file,
      this.camera.element,
      this.pad.element,
      element("p.stn-muted", {}, hint),
      element("h3.stn-tab-heading", {}, "Example pictures"),
      ...subjectsOf(pictures).map((each) => this.#group(each, pictures)),
    );
  }

  /**
   * @param {string} label
   * @param {() => void} onclick
   */
  #button(label, onclick) {
    return element("button.stn-button.stn-small", { type: "button", onclick }, label);
  }

  /**
   * Make a button that shows or hides an element.
   * @param {string} label
   * @param {HTMLElement} content
   * @param {{open?: () => void, close?: () => void}} on
   */
  #toggle(label, content, on = {}) {
    content.hidden = true;
    const button = this.#button(label, () => {
      content.hidden = !content.hidden;
      button.setAttribute("aria-pressed", String(!content.hidden));
      if (content.hidden) on.close?.();
      else on.open?.();
    });
    button.setAttribute("aria-pressed", "false");
    return button;
  }

  /**
   * @param {string} subject
   * @param {GalleryPicture[]} pictures
   */
  #group(subject, pictures) {
    const own = pictures.filter((picture) => picture.subject === subject);
    const list = own.map(({ name }) => this.thumbnails.get(name) ?? "");
    return element("div.stn-gallery", { aria: { label: `Pictures of a ${subject}` } }, ...list);
  }

  /** @param {GalleryPicture} picture */
  #thumbnail(picture) {
    const { title } = picture;
    // Lazy before it has a source, which would else be loaded at once.
    const image = element("img", {
      loading: "lazy",
      src: galleryUrl(picture).href,
      alt: "",
      draggable: false,
    });
    const button = element("button.stn-thumbnail", { type: "button" }, image, title);
    button.onclick = () => this.openGallery(picture);
    return button;
  }

  /**
   * Choose a picture of the gallery.
   * @param {GalleryPicture} picture
   */
  async openGallery(picture) {
    const chosen = ++this.chosen;
    const response = await fetch(galleryUrl(picture));
    const blob = await response.blob();
    // Another picture may have been chosen since.
    if (chosen === this.chosen) this.take(blob, picture);
  }

  /**
   * Let pictures be dropped onto an element.
   * @param {HTMLElement} target
   */
  acceptDrops(target) {
    /** @param {DragEvent} event */
    const hasFile = (event) => event.dataTransfer?.types.includes("Files") ?? false;
    target.addEventListener("dragover", (event) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      target.dataset.drop = "";
    });
    target.addEventListener("dragleave", ({ relatedTarget }) => {
      if (!(relatedTarget instanceof Node && target.contains(relatedTarget))) {
        delete target.dataset.drop;
      }
    });
    target.addEventListener("drop", (event) => {
      delete target.dataset.drop;
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.take(file);
    });
  }

  /** Switch the camera off. */
  closeCamera() {
    if (!this.camera.element.hidden) this.cameraToggle.click();
  }

  #takeFile() {
    const file = this.file.files?.[0];
    if (file) this.take(file);
    // The same file can be chosen again.
    this.file.value = "";
  }

  /**
   * Choose a picture.
   * @param {Blob} blob
   * @param {GalleryPicture | null} gallery which one of the gallery it is
   */
  take(blob, gallery = null) {
    this.chosen += 1;
    for (const [name, button] of this.thumbnails) {
      button.setAttribute("aria-pressed", String(name === gallery?.name));
    }
    this.onPicture({ blob, gallery });
  }
}

/** @param {GalleryPicture[]} pictures */
const subjectsOf = (pictures) => [...new Set(pictures.map(({ subject }) => subject))];
