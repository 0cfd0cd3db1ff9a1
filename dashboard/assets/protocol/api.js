// The server's HTTP interface, as functions. Errors have the server's own message.

import { decodeFrame } from "./frame.js";
import { RunStream } from "./run-stream.js";
import { TransformStream } from "./transform-stream.js";

/** @import { Access, Catalog, Cluster, Example, Export, ExportPreview, Frame, MetricColumns, ResultTables, Run, Sweep, SweepCurves, SweepSummary, WeightsCard } from "./types.js" */
/** @import { RunStreamCallbacks, Stream } from "./run-stream.js" */
/** @import { PictureStream, TransformStreamCallbacks } from "./transform-stream.js" */

const NO_RESPONSE = "The server does not respond. It may have been stopped.";

/** A failed request, with a sentence to show. */
export class Problem extends Error {
  /**
   * @param {string} detail
   * @param {number} status the response's; 0 if there was no response
   */
  constructor(detail, status = 0) {
    super(detail);
    this.status = status;
  }
}

/**
 * A run's recorded frames.
 * @typedef {object} FrameList
 * @property {number} attempt
 * @property {number} before number of recorded steps that are not listed
 * @property {number[]} steps in order
 * @property {[number, number][]} laps step and number of each frame of the closing lap
 */

/** @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/**
 * The page's requests: to a server, or to the recordings of the page, in offline/recorded-api.js.
 * @typedef {ReturnType<typeof createApi>} Api
 */

/**
 * Create a client of the server's interface at an address.
 * @param {string} base the address; empty for the page's own folder, which a proxy may have put below
 * a path of its own
 */
export function createApi(base) {
  const root = new URL(base ? base.replace(/\/*$/, "/") : ".", location.href);

  /**
   * @param {string} path
   * @param {Query} query
   */
  const url = (path, query = {}) => {
    const address = new URL(`api/${path}`, root);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) address.searchParams.set(name, String(value));
    }
    return address;
  };

  /** @param {string} path */
  const socketUrl = (path) => socketAddress(url(path));

  /** @param {string} id */
  const run = (id, suffix = "") => `runs/${encodeURIComponent(id)}${suffix}`;

  /** @param {string} id */
  const sweep = (id, suffix = "") => `sweeps/${encodeURIComponent(id)}${suffix}`;

  /**
   * @param {string} path
   * @param {Query} [query]
   * @param {RequestInit} [options]
   */
  const json = async (path, query, options) => (await request(url(path, query), options)).json();

  return {
    /** Whether the server serves the page too. */
    isOwnServer: root.origin === location.origin,

    /** @returns {Promise<Access>} */
    access: () => json("access"),

    /** @returns {Promise<Catalog>} */
    catalog: () => json("catalog"),

    /** @returns {Promise<ResultTables>} */
    results: () => json("results"),

    /** @type {(origin: string, file: string) => Promise<Blob>} */
    resultPictures: async (origin, file) =>
      (await request(url(`results/${origin}/${encodeURIComponent(file)}/pictures`))).blob(),

    /**
     * List runs, the newest first: all, at most `limit`, or only those to which frames may be added;
     * with `swept` false those of sweeps only while they are trained.
     * @type {(query?: {limit?: number, live?: boolean, swept?: boolean}) => Promise<Run[]>}
     */
    runs: (query) => json("runs", query),

    /** @returns {Promise<Cluster>} */
    cluster: () => json("cluster"),

    /** @returns {Promise<SweepSummary[]>} */
    sweeps: () => json("sweeps"),

    /** @type {(id: string) => Promise<Sweep>} */
    sweep: (id) => json(sweep(id)),

    /** @type {(id: string) => Promise<SweepCurves>} */
    sweepCurves: (id) => json(sweep(id, "/curves")),

    /**
     * Return the address of a sweep's table; null if there is none to download.
     * @type {(id: string) => URL | null}
     */
    sweepCsvUrl: (id) => url(sweep(id, "/csv")),

    /** @type {(id: string, action: "stop" | "resume") => Promise<Sweep>} */
    controlSweep: (id, action) => json(sweep(id, "/control"), {}, jsonBody({ action })),

    /** @param {string} id */
    deleteSweep: (id) => request(url(sweep(id)), { method: "DELETE" }),

    /** @returns {Promise<Example[]>} */
    examples: () => json("examples"),

    /** @type {(id: string) => Promise<Run>} */
    run: (id) => json(run(id)),

    /** @type {(config: object) => Promise<Run>} */
    startRun: (config) => json("runs", {}, jsonBody(config)),

    /** @type {(id: string, change: object) => Promise<Run>} */
    control: (id, change) => json(run(id, "/control"), {}, jsonBody(change)),

    /** @type {(id: string, name: string | null) => Promise<Run>} */
    renameRun: (id, name) => json(run(id), {}, { ...jsonBody({ name }), method: "PATCH" }),

    /** @type {(id: string, image: File, label: string) => Promise<unknown>} */
    addPicture: (id, image, label) => json(run(id, "/probes"), {}, formBody({ image, label })),

    /** @param {string} id */
    deleteRun: (id) => request(url(run(id)), { method: "DELETE" }),

    /**
     * Return the address of a run's recording; null if there is none to download.
     * @type {(id: string) => URL | null}
     */
    recordingUrl: (id) => url(run(id, "/recording")),

    /** @type {(recording: File) => Promise<Run>} */
    importRecording: (recording) => json("recordings", {}, formBody({ recording })),

    /**
     * List the recorded steps, or only those after one.
     * @type {(id: string, query?: {after?: number}) => Promise<FrameList>}
     */
    frames: (id, query) => json(run(id, "/frames"), query),

    /** @type {(id: string, query?: Query) => Promise<MetricColumns>} */
    metrics: (id, query) => json(run(id, "/metrics"), query),

    /** @type {(id: string, step: number, query: Query) => Promise<Frame>} */
    frame: async (id, step, query) =>
      decodeFrame(await (await request(url(run(id, `/frames/${step}`), query))).arrayBuffer()),

    /**
     * Return the address of a picture of a frame.
     * @param {string} id
     * @param {number} step
     * @param {Query} query
     */
    framePictureUrl: (id, step, query) => url(run(id, `/frames/${step}/picture`), query),

    /** @type {(id: string, options: Query, signal: AbortSignal) => Promise<ExportPreview>} */
    exportPreview: (id, options, signal) => json(run(id, "/export/preview"), options, { signal }),

    /**
     * Start to make a file of a run.
     * @type {(id: string, options: Query) => Promise<Export>}
     */
    startExport: (id, options) => json(run(id, "/exports"), {}, jsonBody(options)),

    /** @type {(exportId: string, signal: AbortSignal) => Promise<Export>} */
    exportJob: (exportId, signal) => json(`exports/${exportId}`, {}, { signal }),

    /** @type {(exportId: string) => Promise<unknown>} */
    cancelExport: (exportId) => request(url(`exports/${exportId}`), { method: "DELETE" }),

    /** @type {(exportId: string, signal: AbortSignal) => Promise<Blob>} */
    exportFile: async (exportId, signal) =>
      (await request(url(`exports/${exportId}/file`), { signal })).blob(),

    /**
     * Open the live stream of a run.
     * @type {(id: string, on: RunStreamCallbacks) => Stream}
     */
    openStream: (id, on) => new RunStream(socketUrl(run(id, "/stream")), on),

    /**
     * Return the frame of a picture that a trained network has transformed.
     * @type {(image: Blob, weights: string) => Promise<Frame>}
     */
    transform: async (image, weights) =>
      decodeFrame(
        await (await request(url("transform"), formBody({ image, weights }))).arrayBuffer(),
      ),

    /** @returns {Promise<WeightsCard[]>} */
    weights: () => json("weights"),

    /**
     * Open a stream of transformed pictures.
     * @type {(on: TransformStreamCallbacks) => PictureStream}
     */
    openTransformStream: (on) => new TransformStream(socketUrl("transform/stream"), on),

    /**
     * Return the address of a module's text.
     * @type {(path: string) => URL}
     */
    sourceUrl: (path) => url(`source/${path}`),
  };
}

/**
 * Return an address for a WebSocket. Exported for tests.
 * @param {URL} address for HTTP
 */
export function socketAddress(address) {
  const result = new URL(address);
  result.protocol = address.protocol.replace("http", "ws");
  return result;
}

/**
 * @param {object} body
 * @returns {RequestInit}
 */
function jsonBody(body) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
}

/**
 * Return a request with a form of fields and files; empty ones are left out.
 * @param {Record<string, Blob | string>} fields
 * @returns {RequestInit}
 */
function formBody(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) body.append(name, value);
  return { method: "POST", body };
}

/**
 * @param {URL} address
 * @param {RequestInit} options
 * @throws {Problem} the server refuses, or does not respond
 */
async function request(address, options = {}) {
  // A server of another origin than the page's needs the page's cookie to admit it.
  const credentials = address.origin === location.origin ? "same-origin" : "include";
  let response;
  try {
    response = await fetch(address, { credentials, ...options });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw error;
    throw new Problem(NO_RESPONSE);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : null;
  return new Problem(detail ?? `The server responded with ${response.status}.`, response.status);
}
