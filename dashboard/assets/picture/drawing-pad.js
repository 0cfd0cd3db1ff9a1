// A pad on which a digit is drawn with the pointer, light on black as networks for digits expect it.

import { element } from "../ui/dom.js";

// Pixels of the drawing, and the width of its lines.
const SIZE = 280;
const LINE_WIDTH = 24;

export class DrawingPad {
  /** @param {(picture: Blob) => void} onDraw called after each line with the whole drawing */
  constructor(onDraw) {
    this.onDraw = onDraw;
    this.canvas = element("canvas.stn-drawing", {
      width: SIZE,
      height: SIZE,
      tabIndex: 0,
      aria: { label: "Draw a digit with the pointer, or a finger" },
    });
    this.canvas.setAttribute("role", "img");
    this.context = this.canvas.getContext("2d");
    this.clear = element("button.stn-button.stn-small", { type: "button" }, "Clear the drawing");
    this.clear.onclick = () => this.#clear();
    this.element = element(
      "div.stn-drawing-pad",
      {},
      this.canvas,
      this.clear,
      element("p.stn-muted", {}, "Draw one digit. After each stroke the network classifies it."),
    );
    this.#clear();
    this.#listen();
  }

  #clear() {
    const { context } = this;
    if (!context) return;
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    Object.assign(context, {
      strokeStyle: "#fff",
      lineWidth: LINE_WIDTH,
      lineCap: "round",
      lineJoin: "round",
    });
  }

  #listen() {
    const { canvas, context } = this;
    if (!context) return;
    let isDrawing = false;
    /** @param {PointerEvent} event */
    const point = ({ clientX, clientY }) => {
      const { left, top, width } = canvas.getBoundingClientRect();
      return /** @type {[number, number]} */ ([
        ((clientX - left) * SIZE) / width,
        ((clientY - top) * SIZE) / width,
      ]);
    };
    canvas.onpointerdown = (event) => {
      if (event.button) return;
      isDrawing = true;
      canvas.setPointerCapture(event.pointerId);
      context.beginPath();
      context.moveTo(...point(event));
      context.lineTo(...point(event));
      context.stroke();
    };
    canvas.onpointermove = (event) => {
      if (!isDrawing) return;
      context.lineTo(...point(event));
      context.stroke();
    };
    canvas.onpointerup = canvas.onpointercancel = () => {
      if (!isDrawing) return;
      isDrawing = false;
      canvas.toBlob((blob) => blob && this.onDraw(blob));
    };
  }
}
