// The warp undone: what a transformer handed on, pasted back where it came from. Pure.

// What was not sampled is seen this much darker.
const DIMMED = 0.3;

/**
 * The input with each output pasted over it, where its lattice says that it was sampled.
 * @param {{data: Uint8Array, shape: number[]}} input height x width x channels
 * @param {{output: Uint8Array, shape: number[], lattice: ArrayLike<number>}[]} pasted in this order
 * @returns {Uint8Array} pixels like the input's, in colour where any of them is
 */
export function inverseWarp(input, pasted) {
  const [height, width, channels] = input.shape;
  const depth = Math.max(channels, ...pasted.map(({ shape }) => shape[2]));
  const made = { data: new Uint8Array(height * width * depth), height, width, depth };
  for (let pixel = 0; pixel < height * width; pixel++) {
    for (let channel = 0; channel < depth; channel++) {
      const value = input.data[pixel * channels + (channels === 1 ? 0 : channel)];
      made.data[pixel * depth + channel] = DIMMED * value;
    }
  }
  for (const each of pasted) paste(made, each);
  return { data: made.data, shape: [height, width, depth] };
}

// Cell by cell, each as two triangles.
function paste(made, { output, shape, lattice }) {
  const end = Math.sqrt(lattice.length / 2) - 1;
  const node = (row, column) => {
    const at = 2 * (row * (end + 1) + column);
    return [lattice[at], lattice[at + 1], column / end, row / end];
  };
  for (let row = 0; row < end; row++) {
    for (let column = 0; column < end; column++) {
      const [one, two] = [node(row, column), node(row, column + 1)];
      const [three, four] = [node(row + 1, column + 1), node(row + 1, column)];
      fill(made, [one, two, three], output, shape);
      fill(made, [one, three, four], output, shape);
    }
  }
}

// Fills the pixels whose middles lie within a triangle of points (x, y, u, v).
function fill(made, [p, q, r], output, shape) {
  const area = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1]);
  if (!Number.isFinite(area) || area === 0) return;
  const [left, right] = reach([p[0], q[0], r[0]], made.width);
  const [top, bottom] = reach([p[1], q[1], r[1]], made.height);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const [dx, dy] = [x + 0.5 - p[0], y + 0.5 - p[1]];
      const along = (dx * (r[1] - p[1]) - (r[0] - p[0]) * dy) / area;
      const beside = ((q[0] - p[0]) * dy - dx * (q[1] - p[1])) / area;
      if (along < 0 || beside < 0 || along + beside > 1) continue;
      const u = p[2] + along * (q[2] - p[2]) + beside * (r[2] - p[2]);
      const v = p[3] + along * (q[3] - p[3]) + beside * (r[3] - p[3]);
      write(made, x, y, output, shape, u, v);
    }
  }
}

// The pixels whose middles lie between the least and the greatest of some coordinates.
const reach = (values, size) => [
  Math.max(0, Math.ceil(Math.min(...values) - 0.5)),
  Math.min(size - 1, Math.floor(Math.max(...values) - 0.5)),
];

function write(made, x, y, output, [rows, columns, channels], u, v) {
  const [i, down] = between(v, rows);
  const [j, across] = between(u, columns);
  const [below, right] = [Math.min(rows - 1, i + 1), Math.min(columns - 1, j + 1)];
  for (let channel = 0; channel < made.depth; channel++) {
    const from = channels === 1 ? 0 : channel;
    const read = (row, column) => output[(row * columns + column) * channels + from];
    const upper = read(i, j) + across * (read(i, right) - read(i, j));
    const lower = read(below, j) + across * (read(below, right) - read(below, j));
    made.data[(y * made.width + x) * made.depth + channel] = upper + down * (lower - upper) + 0.5;
  }
}

// The pixel whose middle comes before a share of a side, and how far the share lies beyond it.
function between(share, size) {
  const place = Math.min(size - 1, Math.max(0, share * size - 0.5));
  const index = Math.floor(place);
  return [index, place - index];
}
