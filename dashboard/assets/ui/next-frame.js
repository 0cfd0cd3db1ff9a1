// Drawing in the next animation frame, once for all changes until then.

export class NextFrame {
  /** @param {() => void} draw */
  constructor(draw) {
    this.draw = draw;
    this.isRequested = false;
  }

  /** Draw in the next animation frame. */
  request() {
    if (this.isRequested) return;
    this.isRequested = true;
    requestAnimationFrame(() => {
      this.isRequested = false;
      this.draw();
    });
  }
}
