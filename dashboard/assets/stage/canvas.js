// Pixels on a canvas.

/** An image at its own resolution. The stage's canvas shows it at its element's position. */
export class PixelImage {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "stn-pixels";
    this.canvas = document.createElement("canvas");
    this.context = context2d(this.canvas, { alpha: false });
    /** @type {ImageData | null} */
    this.image = null;
    this.changed = false; // since it was last drawn on the stage's canvas
  }

  /**
   * Replace the pixels; they are visible after the next draw of the stage's canvas.
   * @param {ArrayLike<number>} pixels row by row, in bytes
   * @param {number[]} shape height, width and channels: 1 (gray) or 3 (colour)
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
 * The canvas of a probe grid, at the screen's resolution, with all its images: a canvas for each image
 * would be a layer each, which costs a browser without a graphics card most of its time.
 */
export class StageCanvas {
  constructor() {
    this.element = document.createElement("canvas");
    this.element.className = "stn-stage-canvas";
    this.context = context2d(this.element);
    /** @type {{image: PixelImage, box: [number, number, number, number]}[]} */
    this.placed = [];
  }

  /**
   * Place images at their elements' present positions, and draw those that have pixels.
   * @param {PixelImage[]} images whose elements are within `container`
   * @param {Element} container has the canvas at its top left corner
   * @param {number} density screen pixels for each CSS pixel
   */
  placeImages(images, container, density) {
    const bounds = container.getBoundingClientRect();
    /** @param {number} length in CSS pixels */
    const screen = (length) => Math.round(length * density);
    this.element.width = screen(bounds.width);
    this.element.height = screen(bounds.height);
    this.element.style.width = `${this.element.width / density}px`;
    this.element.style.height = `${this.element.height / density}px`;
    this.placed = images.map((image) => {
      const { left, top, width, height } = image.element.getBoundingClientRect();
      const [x, y] = [screen(left - bounds.left), screen(top - bounds.top)];
      return { image, box: [x, y, screen(width), screen(height)] };
    });
    this.#drawImages(({ image }) => image !== null);
  }

  /** Draw the images whose pixels have changed; the others stay as they are. */
  draw() {
    this.#drawImages(({ changed }) => changed);
  }

  /** @param {(image: PixelImage) => boolean} condition */
  #drawImages(condition) {
    this.context.imageSmoothingEnabled = false;
    for (const { image, box } of this.placed) {
      if (!condition(image)) continue;
      this.context.drawImage(image.canvas, ...box);
      image.changed = false;
    }
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
function context2d(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  return context;
}

/**
 * Write one 32-bit value for each pixel; browsers run on little-endian machines, so its bytes are ABGR.
 * @param {Uint32Array} target
 * @param {ArrayLike<number>} pixels
 * @param {number} channels
 */
function fillOpaque(target, pixels, channels) {
  if (channels === 1) {
    for (let i = 0; i < target.length; i++) target[i] = 0xff000000 | (pixels[i] * 0x010101);
    return;
  }
  for (let i = 0, j = 0; i < target.length; i++, j += channels) {
    target[i] = 0xff000000 | (pixels[j + 2] << 16) | (pixels[j + 1] << 8) | pixels[j];
  }
}
