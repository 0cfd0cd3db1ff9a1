// A picture that was put through a network: what went in, what came out, and what it says. Its regions
// can be dragged, and what the network makes of others follows.

import { element, setText } from "../ui/dom.js";
import { decodeFrame } from "../protocol/frame.js";
import { Handles } from "./region-handles.js";
import { ProbeDetail } from "../stage/probe-detail.js";
import { Trying } from "../protocol/transform-stream.js";
import { LAYERS } from "../ui/view-state.js";

const HEIGHT = 320;
const WIDEST = 1000;

const HINT = "Drag a corner, or the region, to look elsewhere. Arrow keys move what is in focus.";
const GIVEN = "You choose where it looks.";
const AWAY = "The connection is lost and being mended; the picture stays as it is.";

export class PictureView {
  /** @param {() => URL | undefined} socket where pictures are shown again and again */
  constructor(socket) {
    this.socket = socket;
    this.handles = new Handles((wanted) => this.#ask(wanted));
    this.back = element(
      "button.stn-button.stn-small",
      { type: "button" },
      "Let the network choose",
    );
    this.back.onclick = () => this.#release();
    this.word = element("p.stn-quiet", { aria: { live: "polite" } });
    this.controls = element("div.stn-trying", {}, this.back, this.word);
    this.one = new ProbeDetail(null, { handles: this.handles, controls: this.controls });
    this.one.setView({ layers: LAYERS });
    this.notes = element("ul.stn-notes");
    this.element = element("div.stn-picture", {}, this.one.element, this.notes);
    new ResizeObserver(() => this.#resize()).observe(this.element);
  }

  /** Shows a picture as its network sees it by itself; one that is being dragged stays as it is. */
  show(frame) {
    const { picture, weights } = frame.info;
    this.refused = null;
    if (picture && this.#isShown(frame)) {
      this.#tell();
      return;
    }
    this.shown = { picture, weights };
    this.handles.release();
    this.#draw(frame);
    this.#resize();
    const notes = frame.info.notes ?? [];
    this.notes.replaceChildren(...notes.map((note) => element("li", {}, note)));
    this.#connect();
  }

  close() {
    this.trying?.close();
  }

  #isShown({ info }) {
    return info.picture === this.shown?.picture && info.weights === this.shown?.weights;
  }

  #draw(frame) {
    this.frame = frame;
    this.one.draw(frame);
    this.#tell();
  }

  // There is nothing to drag without a transformer, or without a way to ask.
  #connect() {
    const url = this.socket();
    const can = Boolean(this.shown.picture && url && this.frame.info.transformers.length);
    this.handles.element.hidden = this.controls.hidden = !can;
    if (!can || this.trying) return;
    this.trying = new Trying(url, {
      frame: (bytes) => this.#hear(decodeFrame(bytes)),
      error: (detail, request) => this.#refuse(detail, request),
      connection: (stands) => {
        this.away = !stands;
        this.#tell();
      },
    });
  }

  #ask(wanted) {
    return this.trying.ask({ ...this.shown, ...wanted });
  }

  #release() {
    this.handles.release();
    this.#ask({});
  }

  #hear(frame) {
    this.refused = null;
    this.trying.settle(frame.info.request);
    if (this.#isShown(frame)) this.#draw(frame);
  }

  #refuse(detail, request) {
    if (!this.trying.settle(request)) return;
    this.refused = detail;
    this.handles.release();
    this.#tell();
  }

  #tell() {
    const given = Boolean(this.frame.info.given?.length);
    this.back.disabled = !given;
    setText(this.word, this.away ? AWAY : (this.refused ?? (given ? GIVEN : HINT)));
  }

  #resize() {
    const { clientWidth } = this.element;
    if (clientWidth) this.one.resize(Math.min(clientWidth, WIDEST), HEIGHT);
  }
}
