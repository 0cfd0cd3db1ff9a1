// The page's requests, fulfilled from recordings that are part of the page, without a server.

import { NetworkStream } from "./network-stream.js";
import { Problem } from "../protocol/api.js";
import { RecordedRun } from "./recorded-run.js";

/** @import { PictureNetwork } from "./picture-network.js" */
/** @import { Api, Query } from "../protocol/api.js" */
/** @import { RunStreamCallbacks, Stream } from "../protocol/run-stream.js" */
/** @import { Catalog, Example, Frame, MetricColumns, Run, WeightsCard } from "../protocol/types.js" */
/** @import { StoredFiles } from "./stored-files.js" */

/**
 * A page's table of contents, as backend/experiment/export/stored_run.py and site.py write it.
 * @typedef {object} Contents
 * @property {Catalog} catalog what the page needs of it
 * @property {Run[]} runs that are listed, the newest first
 * @property {Example[]} examples
 * @property {Object<string, string>} folders by run
 * @property {string[]} recordings ids of the runs whose recordings can be downloaded
 * @property {string | null} opened the run that is shown if the address names none; null for the newest
 * @property {string | null} compared the run that it is compared with then
 * @property {string} note why nothing can be started or changed here, a sentence
 */

const NO_SERVER = "This needs a server: open the page that stnscope serve shows.";

/** Refuse what needs a server. */
function refuse() {
  return Promise.reject(new Problem(NO_SERVER));
}

/**
 * Create the interface that reads recordings.
 * @param {StoredFiles} files
 * @returns {{api: Api, contents: () => Promise<Contents>}}
 */
export function createRecordedApi(files) {
  /** @type {Promise<Contents> | null} */
  let loading = null;
  /** @type {string[]} */
  let recordings = [];
  const contents = () => {
    if (!loading) {
      /** @type {Promise<Contents>} */
      const requested = files.json("contents.json");
      loading = requested;
      requested.then((loaded) => (recordings = loaded.recordings), () => (loading = null));
    }
    return loading;
  };
  /** @type {Map<string, RecordedRun>} */
  const opened = new Map();

  /** @param {string} id */
  const recorded = async (id) => {
    const folder = (await contents()).folders[id];
    if (folder === undefined) throw new Problem(`There is no run ${id} here.`, 404);
    const run = opened.get(id) ?? new RecordedRun(files, folder);
    opened.set(id, run);
    return run;
  };

  /** @type {Promise<PictureNetwork> | null} */
  let loadingNetwork = null;
  const network = () => {
    if (!loadingNetwork) {
      loadingNetwork = import("./picture-network.js").then(({ PictureNetwork }) =>
        new PictureNetwork((name) =>
          files.address(`networks/${encodeURIComponent(name)}.safetensors`)
        )
      );
      loadingNetwork.catch(() => (loadingNetwork = null));
    }
    return loadingNetwork;
  };

  /** @type {Api} */
  const api = {
    isOwnServer: false,

    access: async () => ({
      refusal: (await contents()).note,
      needs_token: false,
      viewer_token: null,
      address: null,
    }),

    catalog: async () => (await contents()).catalog,

    results: () => files.json("results.json"),

    resultPictures: async (origin, file) => {
      const path = `results/${origin}/${encodeURIComponent(file)}.webp`;
      const response = await fetch(files.address(path));
      if (!response.ok) throw new Problem("There are no pictures.", response.status);
      return response.blob();
    },

    runs: async ({ limit, live } = {}) => live ? [] : (await contents()).runs.slice(0, limit),

    cluster: () => Promise.resolve({ address: null, refusal: null, nodes: [], waiting: [] }),

    sweeps: () => Promise.resolve([]),

    sweep: () => refuse(),

    sweepCurves: () => refuse(),

    sweepCsvUrl: () => null,

    controlSweep: () => refuse(),

    deleteSweep: () => refuse(),

    examples: async () => (await contents()).examples,

    run: async (id) => {
      const { runs, examples } = await contents();
      const known = [...runs, ...examples.map((example) => example.run)];
      const found = known.find((run) => run.id === id);
      if (!found) throw new Problem(`There is no run ${id} here.`, 404);
      return found;
    },

    startRun: () => refuse(),

    control: () => refuse(),

    renameRun: () => refuse(),

    addPicture: () => refuse(),

    deleteRun: () => refuse(),

    recordingUrl: (id) =>
      recordings.includes(id)
        ? files.address(`recordings/${encodeURIComponent(id)}.stnscope`)
        : null,

    importRecording: () => refuse(),

    frames: async (id, { after } = {}) => (await recorded(id)).frames(after),

    metrics: async (id) => (await recorded(id)).metrics(),

    /** @type {(id: string, step: number, query: Query) => Promise<Frame>} */
    frame: async (id, step, { lap }) =>
      (await recorded(id)).frame(step, typeof lap === "number" ? lap : null),

    framePictureUrl: (id) => files.address(`pictures/${encodeURIComponent(id)}.png`),

    exportPreview: () => refuse(),

    startExport: () => refuse(),

    exportJob: () => refuse(),

    cancelExport: () => refuse(),

    exportFile: () => refuse(),

    openStream: (id, on) => new RecordedStream(recorded(id), on),

    transform: async (image, weights) => (await network()).transform(image, weights),

    weights: () => Promise.resolve(/** @type {WeightsCard[]} */ ([])),

    openTransformStream: (on) => new NetworkStream(network(), on),

    sourceUrl: (path) => files.address(`source/${path}.txt`),
  };
  return { api, contents };
}

/**
 * Sends the metrics of a recorded run, and nothing more.
 * @implements {Stream}
 */
class RecordedStream {
  /**
   * @param {Promise<RecordedRun>} run
   * @param {RunStreamCallbacks} on
   */
  constructor(run, on) {
    /** @type {number | null} */
    this.lastStep = null;
    this.isClosed = false;
    this.#send(run, on);
  }

  /**
   * @param {Promise<RecordedRun>} run
   * @param {RunStreamCallbacks} on
   */
  async #send(run, on) {
    /** @type {MetricColumns} */
    const columns = await (await run).metrics();
    // Those of a longer run were loaded before.
    if (!this.isClosed && this.lastStep !== columns.step.at(-1)) on.metrics(columns);
  }

  follow() {}

  grantCredit() {}

  close() {
    this.isClosed = true;
  }
}
