// The files that a page without a server reads: beside the page, or inside it.

import { decodeBase85 } from "./base85.js";
import { decompress } from "./frame-groups.js";
import { Problem } from "../protocol/api.js";

// Whole files that stay in memory, of a server that sends no parts; each has about a megabyte.
const MAX_WHOLE_FILES = 12;
const OK = 200;
const PARTIAL = 206;

/**
 * @typedef {object} StoredFiles
 * @property {(path: string) => Promise<any>} json the value in a JSON file
 * @property {(path: string, offset: number, length: number) => Promise<Uint8Array>} part of a file
 * @property {(path: string) => URL} address of a file, for an element; that of the page if it has none
 */

/**
 * Files below an address, on any static server. Parts are requested as such; from a server
 * that sends whole files instead, each is requested once.
 * @implements {StoredFiles}
 */
export class StaticFiles {
  /** @param {string} base address of the folder, with a slash at its end */
  constructor(base) {
    this.base = base;
    this.sendsParts = true;
    /** @type {Promise<unknown> | null} */
    this.firstPart = null; // whose response shows whether the server sends parts
    /** @type {Map<string, Promise<Uint8Array>>} */
    this.whole = new Map(); // by path, the last used last
  }

  /** @param {string} path */
  address(path) {
    return new URL(path, this.base);
  }

  /** @param {string} path */
  async json(path) {
    return (await this.#request(path)).json();
  }

  /**
   * @param {string} path
   * @param {number} offset
   * @param {number} length
   */
  async part(path, offset, length) {
    if (!this.firstPart) {
      const first = this.#part(path, offset, length);
      this.firstPart = first.catch(() => (this.firstPart = null));
      return first;
    }
    await this.firstPart;
    return this.#part(path, offset, length);
  }

  /**
   * @param {string} path
   * @param {number} offset
   * @param {number} length
   */
  async #part(path, offset, length) {
    if (this.sendsParts) {
      const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
      const response = await this.#request(path, { headers });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (response.status === PARTIAL && bytes.length === length) return bytes;
      this.sendsParts = false;
      if (response.status === OK) this.#keep(path, Promise.resolve(bytes));
    }
    const whole = this.whole.get(path) ?? this.#load(path);
    this.#keep(path, whole);
    return (await whole).subarray(offset, offset + length);
  }

  /** @param {string} path */
  async #load(path) {
    return new Uint8Array(await (await this.#request(path)).arrayBuffer());
  }

  /**
   * @param {string} path
   * @param {Promise<Uint8Array>} file
   */
  #keep(path, file) {
    this.whole.delete(path);
    this.whole.set(path, file);
    file.catch(() => this.whole.delete(path));
    if (this.whole.size > MAX_WHOLE_FILES) {
      this.whole.delete(/** @type {string} */ (this.whole.keys().next().value));
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   * @throws {Problem} the file is missing, or the server does not respond
   */
  async #request(path, options) {
    let response;
    try {
      response = await fetch(this.address(path), options);
    } catch {
      throw new Problem(
        "This page's files cannot be loaded. Check the connection, or how it is served.",
      );
    }
    if (!response.ok) {
      throw new Problem(`The file ${path} of this page is missing.`, response.status);
    }
    return response;
  }
}

/**
 * Files inside the page, each the text of an element: base85, of compressed bytes unless it is a part of a run.
 * @implements {StoredFiles}
 */
export class EmbeddedFiles {
  /** @param {ParentNode} root contains the elements */
  constructor(root) {
    this.root = root;
    /** @type {Map<string, Uint8Array>} */
    this.decoded = new Map(); // by path
    /** @type {Map<string, Promise<string>>} */
    this.urls = new Map(); // by path
  }

  address() {
    return new URL(location.href);
  }

  /** @param {string} path */
  async json(path) {
    return JSON.parse(new TextDecoder().decode(await this.#decompressed(path)));
  }

  /**
   * @param {string} path
   * @param {number} offset
   * @param {number} length
   */
  part(path, offset, length) {
    return Promise.resolve(this.#bytes(path).subarray(offset, offset + length));
  }

  /**
   * Return an address of a script, which is decompressed when it is first used.
   * @param {string} path
   */
  scriptUrl(path) {
    const url = this.urls.get(path) ?? this.#createUrl(path);
    this.urls.set(path, url);
    return url;
  }

  /** @param {string} path */
  async #createUrl(path) {
    const blob = new Blob([await this.#decompressed(path)], { type: "text/javascript" });
    return URL.createObjectURL(blob);
  }

  /** @param {string} path */
  #decompressed(path) {
    return decompress(this.#bytes(path));
  }

  /**
   * @param {string} path
   * @throws {Problem} the page has no such file
   */
  #bytes(path) {
    let bytes = this.decoded.get(path);
    if (!bytes) {
      const element = this.root.querySelector(`script[data-file="${CSS.escape(path)}"]`);
      if (!element) throw new Problem(`This page does not contain ${path}.`, 404);
      bytes = decodeBase85(element.textContent ?? "");
      element.remove(); // the bytes take its place in memory
      this.decoded.set(path, bytes);
    }
    return bytes;
  }
}
