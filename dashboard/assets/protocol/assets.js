// The addresses of files that lie beside the modules: pictures, the charts' library, the walkthrough's example.

/** @typedef {(path: string) => string | Promise<string>} Locate */

/** @type {Locate} */
let locate = (path) => new URL(`../${path}`, import.meta.url).href;

/**
 * Return the address of a file.
 * @param {string} path in the folder of the modules
 */
export const assetUrl = async (path) => await locate(path);

/**
 * Set where files are, for modules that lie beside none.
 * @param {Locate} replacement
 */
export function setAssetLocation(replacement) {
  locate = replacement;
}
