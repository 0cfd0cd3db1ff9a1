// Decodes a frame's bytes into typed arrays. Pure: no DOM, no network.
//
// The layout is that of safetensors: 8 bytes of little-endian header length, a JSON header, raw
// tensors. The header's `__metadata__.frame` is JSON text: the frame's `info`.

/** @import { Frame, FrameInfo, Tensor, Tensors } from "./types.js" */

const PROTOCOL = 1;

/** @type {Record<string, Uint8ArrayConstructor | Float32ArrayConstructor>} */
const ARRAY_TYPES = { U8: Uint8Array, F32: Float32Array };

/** Exported for tests. */
export class FrameError extends Error {}

/**
 * Decode a frame. Tensors are views of `bytes` if aligned, otherwise copies.
 * @param {ArrayBuffer | Uint8Array} bytes
 * @returns {Frame} without `input` where the stream left it out
 * @throws {FrameError} the bytes are not a frame of a known protocol
 */
export function decodeFrame(bytes) {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const { header, start } = readHeader(all);
  /** @type {FrameInfo | null} */
  const info = parseJson(header.__metadata__?.frame);
  if (info?.protocol !== PROTOCOL) {
    throw new FrameError(
      `This frame is not of protocol ${PROTOCOL}, the only one that can be read.`,
    );
  }
  const tensors = /** @type {Tensors} */ ({});
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors[name] = readTensor(all, start, entry);
  }
  return { info, tensors };
}

/**
 * Return the tensors of a file of safetensors, without those of other types than frames have.
 * @param {Uint8Array} bytes
 * @returns {{[name: string]: Tensor}}
 * @throws {FrameError} the bytes are not such a file
 */
export function readTensors(bytes) {
  const { header, start } = readHeader(bytes);
  const known = Object.entries(header).filter(([, { dtype }]) => dtype in ARRAY_TYPES);
  return Object.fromEntries(known.map(([name, entry]) => [name, readTensor(bytes, start, entry)]));
}

/**
 * Return the frame with `input`, the tensor that was last sent, if it has none itself.
 * @param {Frame} frame
 * @param {Tensor | null} input
 * @returns {Frame}
 */
export function withInput(frame, input) {
  if (frame.tensors.input || !input) return frame;
  return { info: frame.info, tensors: { ...frame.tensors, input } };
}

/**
 * Whether two tensors have the same shape and numbers.
 * @param {Tensor | null} a
 * @param {Tensor | null} b
 */
export function tensorsEqual(a, b) {
  if (a === b) return true;
  if (!a || !b || String(a.shape) !== String(b.shape)) return false;
  // Runs for every received frame; a callback for each number takes ten times as long.
  for (let index = 0; index < a.data.length; index++) {
    if (a.data[index] !== b.data[index]) return false;
  }
  return true;
}

/**
 * Return row `index` of a tensor's first axis, as a view.
 * @param {Tensor} tensor
 * @param {number} index
 */
export function rowOf(tensor, index) {
  const size = tensor.shape.slice(1).reduce((product, side) => product * side, 1);
  return tensor.data.subarray(index * size, (index + 1) * size);
}

/**
 * Return all rows of a tensor's first axis, as views.
 * @param {Tensor} tensor
 */
export const rowsOf = (tensor) =>
  Array.from({ length: tensor.shape[0] }, (_, index) => rowOf(tensor, index));

/**
 * Return the number of probes that are the run's own: the first ones; added pictures follow them.
 * @param {Frame} frame
 */
export const initialProbeCount = ({ info }) => info.labels.length - (info.joined ?? []).length;

/**
 * Return the frame with no more than its first `count` probes.
 * @param {Frame} frame
 * @param {number} count
 * @returns {Frame}
 */
export function firstProbes(frame, count) {
  const { info, tensors } = frame;
  if (count >= info.labels.length) return frame;
  const collapsed = Object.entries(info.collapsed ?? {});
  const rows = Object.entries(tensors).map(([name, tensor]) => [name, firstRows(tensor, count)]);
  return {
    info: {
      ...info,
      joined: [],
      labels: info.labels.slice(0, count),
      predicted: info.predicted.slice(0, count),
      collapsed: Object.fromEntries(collapsed.map(([name, each]) => [name, each.slice(0, count)])),
    },
    tensors: Object.fromEntries(rows),
  };
}

/**
 * Return the frame without added pictures.
 * @param {Frame} frame
 */
export const withoutAddedPictures = (frame) => firstProbes(frame, initialProbeCount(frame));

/**
 * @param {Tensor} tensor
 * @param {number} count
 * @returns {Tensor}
 */
function firstRows({ data, shape: [rows, ...shape] }, count) {
  return { data: data.subarray(0, (data.length / rows) * count), shape: [count, ...shape] };
}

/** @param {Uint8Array} all */
function readHeader(all) {
  if (all.byteLength < 8) throw new FrameError("A frame has more bytes than this.");
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > all.byteLength - 8) throw new FrameError("This frame's header is truncated.");
  const header = parseJson(new TextDecoder().decode(all.subarray(8, 8 + length)));
  if (!header) throw new FrameError("This frame's header is not JSON.");
  return { header, start: 8 + length };
}

/** @param {string} text */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array} all
 * @param {number} start of the tensors
 * @param {{dtype: string, shape: number[], data_offsets: [number, number]}} entry
 * @returns {Tensor}
 */
function readTensor(all, start, { dtype, shape, data_offsets: [from, to] }) {
  const ArrayType = ARRAY_TYPES[dtype];
  if (!ArrayType) throw new FrameError(`Tensors of type ${dtype} cannot be read.`);
  if (start + to > all.byteLength) throw new FrameError("This frame is truncated.");
  const offset = all.byteOffset + start + from;
  const count = (to - from) / ArrayType.BYTES_PER_ELEMENT;
  if (offset % ArrayType.BYTES_PER_ELEMENT === 0) {
    return { shape, data: new ArrayType(/** @type {ArrayBuffer} */ (all.buffer), offset, count) };
  }
  return { shape, data: new ArrayType(all.slice(start + from, start + to).buffer) };
}
