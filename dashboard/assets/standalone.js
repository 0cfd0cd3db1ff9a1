// The entry point of a page without a server: one file with a run, or a site of runs and the walk.
//
// It shows the same modules as main.js does, which read recordings in place of a server's answers.

import { addressQuery } from "./page/url.js";
import { createRecordedApi } from "./offline/recorded-api.js";
import { EmbeddedFiles, StaticFiles } from "./offline/stored-files.js";
import { loadAccess } from "./protocol/access.js";
import { loadCatalog, retry } from "./protocol/catalog.js";
import { Rooms } from "./page/rooms.js";
import { RunList } from "./playback/run-list.js";
import { RunTable } from "./runs/run-table.js";
import { setAssetLocation } from "./protocol/assets.js";
import { Viewer } from "./page/viewer.js";

/** @import { Api } from "./protocol/api.js" */
/** @import { Results } from "./results/results.js" */
/** @import { Walk } from "./walk/walk.js" */

const isOneFile = document.querySelector("script[data-file]") !== null;

function openFiles() {
  if (!isOneFile) return new StaticFiles(new URL("data/", document.baseURI).href);
  const files = new EmbeddedFiles(document);
  setAssetLocation((path) => files.scriptUrl(path));
  return files;
}

async function start() {
  const files = openFiles();
  const { api, contents } = createRecordedApi(files);
  const [{ opened, compared }] = await Promise.all([
    retry(contents),
    loadAccess(api),
    loadCatalog(api),
  ]);
  const runs = new RunList(api);
  const rooms = new Rooms();
  const viewer = new Viewer(api, runs, rooms, () => {});
  place("stage")?.append(viewer.element);
  viewer.resize();
  const run = addressQuery().get("run");
  if (run === null && compared) viewer.setView({ ...viewer.view, compare: compared });
  viewer.navigation.pin(run ?? opened);
  matchMedia("(prefers-color-scheme: dark)").onchange = () => viewer.updateTheme();
  const table = new RunTable(api, runs, {
    open: (id) => {
      viewer.goTo(id);
      table.update();
    },
    compare: (id) => viewer.compare(id),
    openId: () => viewer.store.id,
    comparedId: () => viewer.view.compare,
  });
  if (!isOneFile) {
    place("runs")?.append(table.element);
    addWalk(api, rooms);
    addResults(api, rooms);
  }
}

/**
 * Show the results in their room; their modules are loaded when it is first shown.
 * @param {Api} api
 * @param {Rooms} rooms
 */
function addResults(api, rooms) {
  /** @type {Promise<Results> | null} */
  let loading = null;
  const load = async () => {
    const { Results } = await import("./results/results.js");
    const results = new Results(api);
    place("room-results")?.append(results.element);
    await results.load();
    return results;
  };
  const show = () => {
    if (rooms.current === "results") loading ??= load();
  };
  rooms.addEventListener("change", show);
  rooms.addEventListener("restore", show);
  show();
}

/**
 * Show the walk in its room; its modules are loaded when it is first shown.
 * @param {Api} api
 * @param {Rooms} rooms
 */
function addWalk(api, rooms) {
  /** @type {Promise<Walk> | null} */
  let loading = null;
  const load = async () => {
    const { Walk } = await import("./walk/walk.js");
    const walk = new Walk(api);
    place("room-how")?.append(walk.element);
    walk.onchange = () => rooms.replaceAddress("how", walk.query());
    walk.onstep = () => rooms.pushAddress(walk.query());
    return walk;
  };
  const showOrHide = async () => {
    if (!loading && rooms.current !== "how") return;
    const walk = await (loading ??= load());
    if (rooms.current === "how") walk.show(addressQuery());
    else walk.hide();
  };
  rooms.addEventListener("change", showOrHide);
  rooms.addEventListener("restore", async () => {
    (await loading)?.hide();
    showOrHide();
  });
  showOrHide();
}

/** @param {string} name */
const place = (name) => document.querySelector(`.st-key-${name}`);

start();
