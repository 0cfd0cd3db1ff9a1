// Pixels onto a canvas. Independent of where frames come from.

/** One image at its own resolution. Seen where its element is, on the surface that it is laid on. */
export class PixelImage {
  constructor(document) {
    this.element = document.createElement("div");
    this.element.className = "stn-pixels";
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.changed = false; // since it was drawn last
  }

  /**
   * Takes another image; it is seen when the surface is drawn.
   * @param {Uint8Array} pixels height x width x channels, 1 (gray) or 3 (colour)
   */
  draw(pixels, [height, width, channels]) {
    if (this.image?.width !== width || this.image.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.image = this.context.createImageData(width, height);
    }
    fillOpaque(new Uint32Array(this.image.data.buffer), pixels, channels);
    this.context.putImageData(this.image, 0, 0);
    this.changed = true;
  }
}

/**
 * The canvas of a stage, at the screen's resolution, with all its pictures: a canvas for each of them
 * would be a layer each, which costs a browser without a graphics card most of its time.
 */
export class StageCanvas {
  constructor(document) {
    this.element = document.createElement("canvas");
    this.element.className = "stn-surface";
    this.context = this.element.getContext("2d");
    this.places = [];
  }

  /**
   * Lays pictures where their elements stand now, and draws those that show something.
   * @param {PixelImage[]} pictures whose elements stand in `room`, which has the surface at its corner
   * @param {number} density screen pixels for each CSS pixel
   */
  layOut(pictures, room, density) {
    const all = room.getBoundingClientRect();
    const at = (value) => Math.round(value * density);
    this.element.width = at(all.width);
    this.element.height = at(all.height);
    this.element.style.width = `${this.element.width / density}px`;
    this.element.style.height = `${this.element.height / density}px`;
    this.places = pictures.map((picture) => {
      const { left, top, width, height } = picture.element.getBoundingClientRect();
      const [x, y] = [at(left - all.left), at(top - all.top)];
      return { picture, box: [x, y, at(width), at(height)] };
    });
    this.#draw(({ image }) => image);
  }

  /** Draws the pictures that have changed; the others stand as they are. */
  draw() {
    this.#draw(({ changed }) => changed);
  }

  #draw(wanted) {
    this.context.imageSmoothingEnabled = false;
    for (const { picture, box } of this.places) {
      if (!wanted(picture)) continue;
      this.context.drawImage(picture.canvas, ...box);
      picture.changed = false;
    }
  }
}

// One 32-bit write a pixel; browsers run on little-endian machines, so bytes stand as ABGR.
function fillOpaque(target, pixels, channels) {
  if (channels === 1) {
    for (let i = 0; i < target.length; i++) target[i] = 0xff000000 | (pixels[i] * 0x010101);
    return;
  }
  for (let i = 0, j = 0; i < target.length; i++, j += channels) {
    target[i] = 0xff000000 | (pixels[j + 2] << 16) | (pixels[j + 1] << 8) | pixels[j];
  }
}
