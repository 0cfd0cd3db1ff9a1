// The entry point of a page without a server: one file with a run, or a site of runs and the walkthrough.
//
// It shows the same modules as main.js does, which read recordings in place of a server's responses.

import { addressQuery } from "./page/url.js";
import { createRecordedApi } from "./offline/recorded-api.js";
import { EmbeddedFiles, StaticFiles } from "./offline/stored-files.js";
import { loadAccess } from "./protocol/access.js";
import { loadCatalog, retry } from "./protocol/catalog.js";
import { Tabs } from "./page/tabs.js";
import { RunList } from "./playback/run-list.js";
import { RunTable } from "./runs/run-table.js";
import { setAssetLocation } from "./protocol/assets.js";
import { Viewer } from "./page/viewer.js";

/** @import { Api } from "./protocol/api.js" */
/** @import { Tab } from "./ui/tab-link.js" */

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
  const tabs = new Tabs();
  const viewer = new Viewer(api, runs, tabs, () => {});
  container("stage")?.append(viewer.element);
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
    container("runs")?.append(table.element);
    fillWhenShown(tabs, "how", () => createWalkthrough(api, tabs));
    fillWhenShown(tabs, "results", () => createResults(api));
  }
}

/**
 * What fills a tab.
 * @typedef {object} TabContent
 * @property {HTMLElement} element
 * @property {(query: URLSearchParams) => void} show what the address names
 * @property {() => void} hide
 */

/**
 * Fill a tab when it is first shown.
 * @param {Tabs} tabs
 * @param {Tab} tab
 * @param {() => Promise<TabContent>} load imports the tab's modules, and makes its content
 */
function fillWhenShown(tabs, tab, load) {
  /** @type {Promise<TabContent> | null} */
  let loading = null;
  const loadInto = async () => {
    const content = await load();
    container(`tab-${tab}`)?.append(content.element);
    return content;
  };
  const showOrHide = async () => {
    if (!loading && tabs.current !== tab) return;
    const content = await (loading ??= loadInto());
    if (tabs.current === tab) content.show(addressQuery());
    else content.hide();
  };
  tabs.addEventListener("change", showOrHide);
  tabs.addEventListener("restore", async () => {
    (await loading)?.hide();
    showOrHide();
  });
  showOrHide();
}

/**
 * @param {Api} api
 * @returns {Promise<TabContent>}
 */
async function createResults(api) {
  const { Results } = await import("./results/results.js");
  const results = new Results(api);
  return { element: results.element, show: () => results.load(), hide: () => {} };
}

/**
 * @param {Api} api
 * @param {Tabs} tabs
 * @returns {Promise<TabContent>}
 */
async function createWalkthrough(api, tabs) {
  const { Walkthrough } = await import("./walkthrough/walkthrough.js");
  const walkthrough = new Walkthrough(api);
  walkthrough.onchange = () => tabs.replaceAddress("how", walkthrough.query());
  walkthrough.onstep = () => tabs.pushAddress(walkthrough.query());
  return walkthrough;
}

/** @param {string} name */
const container = (name) => document.querySelector(`.st-key-${name}`);

start();
