import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateSync } from "node:zlib";

import { animatedPng } from "../../../../dashboard/assets/picture/animated-png.js";

/** @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const content = Buffer.concat([Buffer.from(name), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, sum]);
}

/** @param {number} width @param {number} value a gray PNG of one row, its data in two chunks */
function png(width, value) {
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  const data = deflateSync(Buffer.from([0, ...Array(width).fill(value)]));
  return new Uint8Array(Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header),
    chunk("IDAT", data.subarray(0, 4)),
    chunk("IDAT", data.subarray(4)),
    chunk("IEND", Buffer.alloc(0)),
  ]));
}

/** @param {Uint8Array} file */
function chunksOf(file) {
  const buffer = Buffer.from(file);
  const chunks = [];
  for (let at = 8; at < buffer.length;) {
    const length = buffer.readUInt32BE(at);
    const content = buffer.subarray(at + 4, at + 8 + length);
    assert.equal(buffer.readUInt32BE(at + 8 + length), crc32(content), "the checksum");
    chunks.push({ name: content.toString("latin1", 0, 4), data: content.subarray(4) });
    at += length + 12;
  }
  return chunks;
}

test("pictures are put together with their delays, their pixels untouched", () => {
  const chunks = chunksOf(animatedPng([png(3, 7), png(3, 9)], [100, 1000]));
  assert.deepEqual(
    chunks.map(({ name }) => name),
    ["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "IEND"],
  );
  assert.deepEqual([...chunks[1].data], [0, 0, 0, 2, 0, 0, 0, 0], "two pictures, for ever");
  const [first, second] = [chunks[2].data, chunks[4].data];
  assert.deepEqual([first, second].map((data) => data.readUInt16BE(20)), [100, 1000]);
  assert.deepEqual([first, second].map((data) => data.readUInt16BE(22)), [1000, 1000]);
  const sequence = [first, second, chunks[5].data].map((data) => data.readUInt32BE(0));
  assert.deepEqual(sequence, [0, 1, 2]);
  const expected = [7, 9].map((value) => deflateSync(Buffer.from([0, value, value, value])));
  assert.deepEqual([...chunks[3].data], [...expected[0]]);
  assert.deepEqual([...chunks[5].data.subarray(4)], [...expected[1]]);
});

test("pictures of two sizes are refused", () => {
  assert.throws(() => animatedPng([png(3, 7), png(4, 7)], [1, 1]), /one size/);
});
