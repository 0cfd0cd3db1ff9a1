// How large images are drawn, and in how many columns. All sizes are CSS pixels; a density is the
// number of screen pixels for each of them. Pure.

/** @typedef {{height: number, width: number}} Size */

// Tiles lower than this are too small to be seen well.
const MIN_TILE_HEIGHT = 104;
// CSS pixels for a data pixel in a tile of the grid.
const MAX_TILE_SCALE = 16;
// CSS pixels for a data pixel in an image pane.
const MAX_PANE_SCALE = 32;
const MIN_PANE_SCALE = 0.05;

// Gap between image panes, and height below each for its caption; as in styles/view.css.
export const PANE_GAP = 12;
export const PANE_CAPTION_HEIGHT = 22;
// Windows narrower than this are scrolled as a whole; in wider ones a part that does not fit scrolls.
export const MIN_FIXED_WINDOW_WIDTH = 700;

/**
 * Return a scale at which data pixels cover whole screen pixels, where that loses little.
 * @param {number} scale the largest that fits
 * @param {number} density
 * @param {number} [share] of `scale` that must be kept
 */
export function wholePixelScale(scale, density, share = 0.75) {
  const whole = Math.floor(scale * density) / density;
  return whole > share * scale ? whole : scale;
}

/**
 * Return the size of an image that fills a height, or a little less where its pixels are equal then.
 * @param {number} height
 * @param {number[]} shape rows and columns of the image
 * @param {number} density
 * @returns {Size}
 */
export function wholePixelSize(height, [rows, columns], density) {
  const scale = wholePixelScale(height / rows, density, 0.85);
  return { height: rows * scale, width: columns * scale };
}

/**
 * Compute the number of columns of probe tiles, and how large a data pixel of the input is drawn.
 *
 * Data pixels cover whole screen pixels where little is lost by it, so that all are equally large.
 * Of layouts with equally large tiles, the one with the fewest rows.
 * @param {object} options
 * @param {number} options.count of tiles
 * @param {number} options.width
 * @param {number} options.height
 * @param {(scale: number) => Size} options.tile a tile's size at a scale, with its caption
 * @param {number} options.gap between tiles
 * @param {number} options.density
 * @param {number} [options.minHeight] where tiles would be lower, the page grows longer instead
 */
export function fitTiles(
  { count, width, height, tile, gap, density, minHeight = MIN_TILE_HEIGHT },
) {
  /** @param {number} columns */
  const rows = (columns) => Math.ceil(count / columns);
  /** @param {number} columns @param {number} limit of the height */
  const scaleFor = (columns, limit) => {
    const largest = largestScale((scale) => {
      const size = tile(scale);
      const totalWidth = columns * size.width + (columns - 1) * gap;
      const totalHeight = rows(columns) * size.height + (rows(columns) - 1) * gap;
      return totalWidth <= width && totalHeight <= limit;
    });
    return wholePixelScale(largest, density, 0.8);
  };
  /** @param {number} limit */
  const layouts = (limit) =>
    Array.from({ length: count }, (_, index) => ({
      columns: index + 1,
      scale: scaleFor(index + 1, limit),
    }));
  const best = layouts(height).reduce((best, layout) => {
    const hasFewerRows = layout.scale === best.scale &&
      rows(layout.columns) < rows(best.columns);
    return layout.scale > best.scale || hasFewerRows ? layout : best;
  });
  /** @param {{scale: number}} layout */
  const isReadable = ({ scale }) => tile(scale).height >= minHeight;
  if (isReadable(best)) return best;
  const longer = layouts(Infinity);
  return longer.filter(isReadable).at(-1) ?? longer[0];
}

/**
 * Return the largest scale that fits, to a hundredth.
 * @param {(scale: number) => boolean} fits true of all scales below one that fits
 */
function largestScale(fits) {
  let [low, high] = [1, 100 * MAX_TILE_SCALE];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle / 100)) low = middle;
    else high = middle - 1;
  }
  return low / 100;
}

/**
 * Compute how large an input and its outputs are drawn: as large as fits, with whole numbers of
 * screen pixels for each data pixel where that costs little. Several outputs are placed in rows and
 * columns, no higher than their input.
 * @param {Size} space without captions
 * @param {number[]} input its rows and columns, with the margin around it
 * @param {number[][]} outputs rows and columns of each
 * @param {number} density
 * @returns {{scale: number, columns: number, sizes: number[][]}} CSS pixels for each of the input's;
 *   the number of columns of outputs; height and width of each
 */
export function fitPanes({ width, height }, [rows, columns], outputs, density) {
  const screenPixel = 1 / density;
  for (const scale of paneScales(screenPixel)) {
    if (scale * rows > height) continue;
    // An output may be a little smaller than its input, where that lets both be larger.
    const layouts = outputLayouts(scale * rows, outputs, density).flatMap((layout) =>
      [0, screenPixel].map((reduction) => ({ scale, ...sizeOutputs(layout, outputs, reduction) }))
    );
    const fitting = layouts.filter((layout) => scale * columns + layout.width <= width);
    if (fitting.length) {
      return fitting.reduce((best, layout) => (layout.area > best.area ? layout : best));
    }
  }
  return {
    scale: MIN_PANE_SCALE,
    columns: 1,
    sizes: outputs.map((shape) => shape.map((side) => MIN_PANE_SCALE * side)),
  };
}

/** @param {number} step between scales above 1 */
function* paneScales(step) {
  for (let scale = MAX_PANE_SCALE; scale >= 1; scale -= step) yield scale;
  for (let scale = 1; scale > MIN_PANE_SCALE; scale -= MIN_PANE_SCALE) yield scale;
}

/**
 * Return layouts of outputs in every number of columns, as large as they can be without being higher than `height`.
 * @param {number} height
 * @param {number[][]} outputs rows and columns of each
 * @param {number} density
 * @returns {{columns: number, scales: number[]}[]}
 */
function outputLayouts(height, outputs, density) {
  if (!outputs.length) return [{ columns: 0, scales: [] }];
  return outputs.map((_, index) => {
    const columns = index + 1;
    const rows = Math.ceil(outputs.length / columns);
    const rowHeight = (height - (rows - 1) * (PANE_GAP + PANE_CAPTION_HEIGHT)) / rows;
    return {
      columns,
      scales: outputs.map(([side]) => wholePixelScale(Math.max(rowHeight, 1) / side, density)),
    };
  });
}

/**
 * Return the sizes of outputs in a layout, and the width and area that they take.
 * @param {{columns: number, scales: number[]}} layout
 * @param {number[][]} outputs rows and columns of each
 * @param {number} reduction subtracted from the layout's scales
 */
function sizeOutputs({ columns, scales }, outputs, reduction) {
  const sizes = outputs.map((shape, index) => {
    const scale = scales[index] > 4 ? scales[index] - reduction : scales[index];
    return [scale * shape[0], scale * shape[1]];
  });
  const widths = columnWidths(sizes.map(([, width]) => width), columns);
  const width = widths.reduce((sum, widest) => sum + PANE_GAP + widest, 0);
  const area = sizes.reduce((sum, [high, wide]) => sum + high * wide, 0);
  return { columns, sizes, width, area };
}

/**
 * Return the width of each column when images are placed row by row.
 * @param {number[]} widths of the images
 * @param {number} columns
 * @returns {number[]}
 */
export function columnWidths(widths, columns) {
  const widest = Array(columns).fill(0);
  widths.forEach((width, index) => {
    widest[index % columns] = Math.max(widest[index % columns], width);
  });
  return widest;
}
