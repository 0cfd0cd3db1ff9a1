// A frame's bytes, as typed arrays. Pure: no DOM, no network.
//
// The layout is that of safetensors: 8 bytes of little-endian header length, a JSON header, raw
// tensors. What is said about the tensors stands as JSON text under `__metadata__.frame`.

const PROTOCOL = 1;

const ARRAYS = { U8: Uint8Array, F32: Float32Array };

// Exported for tests.
export class FrameError extends Error {}

/**
 * Reads a frame. Tensors are views of `bytes` where their alignment allows, and copies elsewhere.
 * @param {ArrayBuffer | Uint8Array} bytes
 * @returns {{info: object, tensors: Object<string, {shape: number[], data: Uint8Array | Float32Array}>}}
 * @throws {FrameError} the bytes are no frame of a known protocol
 */
export function decodeFrame(bytes) {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const { header, start } = readHeader(all);
  const info = parse(header.__metadata__?.frame);
  if (info?.protocol !== PROTOCOL) {
    throw new FrameError(`This frame is not of protocol ${PROTOCOL}, the only one known here.`);
  }
  const tensors = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name !== "__metadata__") tensors[name] = readTensor(all, start, entry);
  }
  return { info, tensors };
}

/** The same frame with `input`, the tensor last sent, where it carries none itself. */
export function withInput(frame, input) {
  if (frame.tensors.input || !input) return frame;
  return { info: frame.info, tensors: { ...frame.tensors, input } };
}

/** Whether two tensors hold the same numbers. */
export function tensorsEqual(one, other) {
  if (one === other) return true;
  if (!one || !other || String(one.shape) !== String(other.shape)) return false;
  // Of every frame that comes; a function called for each number takes ten times as long.
  for (let index = 0; index < one.data.length; index++) {
    if (one.data[index] !== other.data[index]) return false;
  }
  return true;
}

/** Row `index` of a tensor's first axis, as a view. */
export function rowOf(tensor, index) {
  const size = tensor.shape.slice(1).reduce((product, side) => product * side, 1);
  return tensor.data.subarray(index * size, (index + 1) * size);
}

/** All rows of a tensor's first axis, as views. */
export const rowsOf = (tensor) =>
  Array.from({ length: tensor.shape[0] }, (_, index) => rowOf(tensor, index));

/** How many probes, the first ones, are the run's own; the others are pictures that joined. */
export const ownProbeCount = ({ info }) => info.labels.length - (info.joined ?? []).length;

/** The same frame with no more than its first `count` probes. */
export function firstProbes(frame, count) {
  const { info, tensors } = frame;
  if (count >= info.labels.length) return frame;
  const cut = (list) => list.slice(0, count);
  const first = { ...info, joined: [], labels: cut(info.labels), predicted: cut(info.predicted) };
  const reasons = Object.entries(info.collapsed ?? {}).map(([name, each]) => [name, cut(each)]);
  const rows = Object.entries(tensors).map(([name, tensor]) => [name, firstRows(tensor, count)]);
  return {
    info: { ...first, collapsed: Object.fromEntries(reasons) },
    tensors: Object.fromEntries(rows),
  };
}

/** The same frame without pictures that joined. */
export const withoutAddedPictures = (frame) => firstProbes(frame, ownProbeCount(frame));

function firstRows({ data, shape: [rows, ...shape] }, count) {
  return { data: data.subarray(0, (data.length / rows) * count), shape: [count, ...shape] };
}

function readHeader(all) {
  if (all.byteLength < 8) throw new FrameError("These bytes are too few for a frame.");
  const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > all.byteLength - 8) throw new FrameError("This frame's header is cut short.");
  const header = parse(new TextDecoder().decode(all.subarray(8, 8 + length)));
  if (!header) throw new FrameError("This frame's header is not JSON.");
  return { header, start: 8 + length };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readTensor(all, start, { dtype, shape, data_offsets: [from, to] }) {
  const ArrayType = ARRAYS[dtype];
  if (!ArrayType) throw new FrameError(`Numbers of type ${dtype} are not known here.`);
  if (start + to > all.byteLength) throw new FrameError("This frame is cut short.");
  const offset = all.byteOffset + start + from;
  const count = (to - from) / ArrayType.BYTES_PER_ELEMENT;
  if (offset % ArrayType.BYTES_PER_ELEMENT === 0) {
    return { shape, data: new ArrayType(all.buffer, offset, count) };
  }
  return { shape, data: new ArrayType(all.slice(start + from, start + to).buffer) };
}
