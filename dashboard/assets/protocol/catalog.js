// The server's catalog, loaded once for the whole page: families, limits and defaults.

/** @import { Catalog, ExportDefaults, ExportFormat, FamilyEntry, RunConfig } from "./types.js" */

const RETRY_MILLISECONDS = 2000;

/** @type {Catalog | null} */
let current = null;

/**
 * Load the catalog, and try again until the server responds.
 * @param {{catalog: () => Promise<Catalog>}} api
 */
export async function loadCatalog(api) {
  current ??= await retry(api.catalog);
}

/**
 * Repeat a request until the server responds to it.
 * @template T
 * @param {() => Promise<T>} request
 * @returns {Promise<T>}
 */
export async function retry(request) {
  for (;;) {
    try {
      return await request();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}

/**
 * Set the catalog. Exported for tests.
 * @param {Catalog | null} catalog
 */
export function setCatalog(catalog) {
  current = catalog;
}

/**
 * Return the entry of a family; null for an unknown one, and before the catalog is loaded.
 * @param {string} name
 * @returns {FamilyEntry | null}
 */
export const familyEntry = (name) =>
  current?.families.find((family) => family.name === name) ?? null;

/**
 * Return all families; none before the catalog is loaded.
 * @returns {FamilyEntry[]}
 */
export const familyEntries = () => current?.families ?? [];

/**
 * Return the title of a data set; its name if it is unknown, or the catalog is not loaded.
 * @param {string} name
 */
export const datasetTitle = (name) =>
  current?.datasets.find((dataset) => dataset.name === name)?.title ?? name;

/**
 * Return the largest value the server accepts; Infinity before the catalog is loaded.
 * @param {string} name as in backend/experiment/limits.py
 * @returns {number}
 */
export const limitOf = (name) => current?.limits[name] ?? Infinity;

/**
 * Return a run's default configuration; null before the catalog is loaded.
 * @returns {Required<RunConfig> | null}
 */
export const defaultConfig = () => current?.defaults ?? null;

/**
 * Return the values of options of an export that are not given; null before the catalog is loaded.
 * @returns {ExportDefaults | null}
 */
export const exportDefaults = () => current?.export_defaults ?? null;

/**
 * Return the forms in which a run can be exported; none before the catalog is loaded.
 * @returns {ExportFormat[]}
 */
export const exportFormats = () => current?.export_formats ?? [];
