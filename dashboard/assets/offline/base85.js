// Bytes as text in a page: 5 characters for 4 bytes, a sixteenth less than base64. Pure.
//
// The alphabet is that of git and RFC 1924, with a comma in place of <, which is markup in a page.

const ALPHABET =
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~";
const BASE = ALPHABET.length;
const DIGIT_VALUES = new Uint8Array(128);
[...ALPHABET].forEach((letter, digit) => (DIGIT_VALUES[letter.charCodeAt(0)] = digit));

/**
 * Return the bytes of a text.
 * @param {string} text the last group has a character less for each byte less
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function decodeBase85(text) {
  const groups = Math.ceil(text.length / 5);
  const missing = groups * 5 - text.length;
  const bytes = new DataView(new ArrayBuffer(groups * 4));
  for (let group = 0; group < groups; group++) {
    let value = 0;
    for (let index = group * 5; index < group * 5 + 5; index++) {
      value = value * BASE +
        (index < text.length ? DIGIT_VALUES[text.charCodeAt(index)] : BASE - 1);
    }
    bytes.setUint32(group * 4, value);
  }
  return new Uint8Array(bytes.buffer, 0, groups * 4 - missing);
}
