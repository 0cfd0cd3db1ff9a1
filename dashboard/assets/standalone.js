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
/** @import { Room } from "./ui/room-link.js" */

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
    openSweep: () => {}, // there are none
    openId: () => viewer.store.id,
    comparedId: () => viewer.view.compare,
  });
  if (!isOneFile) {
    place("runs")?.append(table.element);
    fillWhenShown(rooms, "how", () => createWalk(api, rooms));
    fillWhenShown(rooms, "results", () => createResults(api));
  }
}

/**
 * What fills a room.
 * @typedef {object} RoomContent
 * @property {HTMLElement} element
 * @property {(query: URLSearchParams) => void} show what the address names
 * @property {() => void} hide
 */

/**
 * Fill a room when it is first shown.
 * @param {Rooms} rooms
 * @param {Room} room
 * @param {() => Promise<RoomContent>} load imports the room's modules, and makes its content
 */
function fillWhenShown(rooms, room, load) {
  /** @type {Promise<RoomContent> | null} */
  let loading = null;
  const loadInto = async () => {
    const content = await load();
    place(`room-${room}`)?.append(content.element);
    return content;
  };
  const showOrHide = async () => {
    if (!loading && rooms.current !== room) return;
    const content = await (loading ??= loadInto());
    if (rooms.current === room) content.show(addressQuery());
    else content.hide();
  };
  rooms.addEventListener("change", showOrHide);
  rooms.addEventListener("restore", async () => {
    (await loading)?.hide();
    showOrHide();
  });
  showOrHide();
}

/**
 * @param {Api} api
 * @returns {Promise<RoomContent>}
 */
async function createResults(api) {
  const { Results } = await import("./results/results.js");
  const results = new Results(api);
  return { element: results.element, show: () => results.load(), hide: () => {} };
}

/**
 * @param {Api} api
 * @param {Rooms} rooms
 * @returns {Promise<RoomContent>}
 */
async function createWalk(api, rooms) {
  const { Walk } = await import("./walk/walk.js");
  const walk = new Walk(api);
  walk.onchange = () => rooms.replaceAddress("how", walk.query());
  walk.onstep = () => rooms.pushAddress(walk.query());
  return walk;
}

/** @param {string} name */
const place = (name) => document.querySelector(`.st-key-${name}`);

start();
