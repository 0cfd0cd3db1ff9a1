// A change that is drawn over some time: in every animation frame, or at once where motion is reduced.

import { prefersReducedMotion } from "./reduced-motion.js";

export class TimedChange {
  constructor() {
    this.current = 0; // counts changes, of which the newest runs
  }

  /**
   * Draw a change from its start to its end.
   * @param {number} milliseconds
   * @param {(share: number) => void} draw called with the share that is done, slow at both ends
   * @returns {Promise<boolean>} whether it was completed: neither stopped nor replaced by another
   */
  async run(milliseconds, draw) {
    const run = ++this.current;
    const reducesMotion = prefersReducedMotion();
    const start = performance.now();
    let share = 0;
    while (share < 1) {
      const now = await new Promise(requestAnimationFrame);
      if (run !== this.current) return false;
      share = reducesMotion ? 1 : Math.min(1, Math.max(0, (now - start) / milliseconds));
      draw(share * share * (3 - 2 * share));
    }
    return true;
  }

  stop() {
    this.current += 1;
  }
}
