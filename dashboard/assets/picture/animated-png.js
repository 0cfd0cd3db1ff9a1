// PNGs of one size put together to an animation (APNG), without encoding a pixel again. Pure.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const MILLISECONDS = 1000; // the unit of delays: a second's share
const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  let remainder = value;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
  }
  return remainder;
});

/**
 * Return an animation that repeats for ever.
 * @param {Uint8Array[]} pictures PNGs of one size and kind
 * @param {number[]} delays of each, in whole milliseconds, at most 65535
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function animatedPng(pictures, delays) {
  const files = pictures.map(readChunks);
  const header = dataOf(files[0], "IHDR");
  if (files.some((chunks) => String(dataOf(chunks, "IHDR")) !== String(header))) {
    throw new Error("The pictures of an animation must have one size.");
  }
  let sequence = 0;
  const frames = files.flatMap((chunks, index) => {
    // The whole picture at (0, 0), in place of the one before.
    const control = join(numbers(sequence++), header.slice(0, 8), numbers(0, 0), [
      ...[delays[index], MILLISECONDS].flatMap((value) => [value >> 8, value & 255]),
      0,
      0,
    ]);
    const data = dataOf(chunks, "IDAT");
    return [
      chunk("fcTL", control),
      index ? chunk("fdAT", join(numbers(sequence++), data)) : chunk("IDAT", data),
    ];
  });
  return join(
    SIGNATURE,
    chunk("IHDR", header),
    chunk("acTL", numbers(files.length, 0)),
    ...frames,
    chunk("IEND", []),
  );
}

/** @typedef {{name: string, data: Uint8Array}} Chunk */

/**
 * @param {Uint8Array} file
 * @returns {Chunk[]}
 */
function readChunks(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks = [];
  for (let at = SIGNATURE.length; at < file.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    chunks.push({ name, data: file.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

/**
 * Return the data of all chunks of a name, one after the other.
 * @param {Chunk[]} chunks
 * @param {string} name
 */
const dataOf = (chunks, name) =>
  join(...chunks.filter((each) => each.name === name).map(({ data }) => data));

/**
 * @param {string} name
 * @param {ArrayLike<number>} data
 */
function chunk(name, data) {
  const content = join(Array.from(name, (letter) => letter.charCodeAt(0)), data);
  return join(numbers(data.length), content, numbers(checksum(content)));
}

/** @param {Uint8Array} bytes */
function checksum(bytes) {
  let remainder = 0xffffffff;
  for (const byte of bytes) remainder = TABLE[(remainder ^ byte) & 255] ^ (remainder >>> 8);
  return (remainder ^ 0xffffffff) >>> 0;
}

/**
 * Return numbers as four bytes each, the highest first.
 * @param {number[]} values
 */
const numbers = (...values) =>
  values.flatMap((value) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255));

/**
 * @param {ArrayLike<number>[]} parts
 * @returns {Uint8Array<ArrayBuffer>}
 */
function join(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
