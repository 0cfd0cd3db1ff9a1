// The entry point that Streamlit calls: mounts each part of the page once, and updates it with new data.
//
// Streamlit calls it again, without a cleanup before, whenever the data or the theme changes; so a part
// is created once for each element, and exists until Streamlit removes that element.

import { acceptPastes } from "./picture/paste.js";
import { addressQuery } from "./page/url.js";
import { createApi } from "./protocol/api.js";
import { loadAccess } from "./protocol/access.js";
import { loadCatalog } from "./protocol/catalog.js";
import { onReconnect } from "./page/streamlit-reconnect.js";
import { PictureTab } from "./picture/picture-tab.js";
import { Tabs } from "./page/tabs.js";
import { Results } from "./results/results.js";
import { RunList } from "./playback/run-list.js";
import { RunTable } from "./runs/run-table.js";
import { Viewer } from "./page/viewer.js";

/** @import { Api } from "./protocol/api.js" */
/** @import { Tab } from "./ui/tab-link.js" */
/** @import { SweepsTab } from "./sweeps/sweeps-tab.js" */
/** @import { Walkthrough } from "./walkthrough/walkthrough.js" */

/**
 * What Streamlit passes.
 * @typedef {object} PartData
 * @property {"viewer" | "runs" | "picture" | "walkthrough" | "sweeps" | "results"} part
 * @property {string} api the server's address; empty for the page's own origin
 * @property {string | null} [run] id of the run in the address
 * @property {string[] | null} [started] ids of the run that was last started with the form, and of one to
 *   compare it with
 * @property {string | null} [sweep] id of the sweep that was last started with the form
 */

/** @typedef {(name: string, value: unknown) => void} Trigger runs the script */

/**
 * A mounted part.
 * @typedef {object} Part
 * @property {HTMLElement} element
 * @property {(data: any, trigger: Trigger) => void} update
 * @property {() => void} [close]
 */

/**
 * What fills a tab.
 * @typedef {object} TabContent
 * @property {(query: URLSearchParams) => void} show what the address names
 * @property {() => void} hide
 * @property {() => Record<string, string | null>} query its parameters of the address
 * @property {() => void} onchange called when those have changed
 */

/**
 * What all parts of a page share.
 * @typedef {object} Page
 * @property {Api} api
 * @property {RunList} runs
 * @property {Tabs} tabs
 * @property {Viewer | null} viewer
 * @property {PictureTab | null} picture
 * @property {Walkthrough | null} walkthrough
 * @property {SweepsTab | null} sweeps
 * @property {string | null} started id of the run that was last started with the form
 * @property {(id: string) => void} open
 */

/** @type {Map<Element, Part>} */
const parts = new Map(); // by parent element
/** @type {Page | null} */
let sharedPage = null;

/**
 * @param {{data: PartData, parentElement: HTMLElement, setTriggerValue: Trigger}} options
 * @returns {() => void} removes the part
 */
export default function mount({ data, parentElement, setTriggerValue }) {
  if (isUpgraded()) {
    location.reload();
    return () => {};
  }
  const part = parts.get(parentElement) ?? createPart(data, parentElement);
  parts.set(parentElement, part);
  part.update(data, setTriggerValue);
  return () => {
    part.element.remove();
    parts.delete(parentElement);
    part.close?.();
  };
}

/** Whether the server was upgraded: Streamlit mounts its new modules beside the old ones, and leaves those. */
function isUpgraded() {
  const { dataset } = document.documentElement;
  dataset.modules ??= import.meta.url;
  return dataset.modules !== import.meta.url;
}

/** @type {Record<PartData["part"], (data: PartData, parent: HTMLElement) => Part>} */
const CREATE = {
  viewer: createViewer,
  runs: createRuns,
  picture: createPicture,
  walkthrough: createWalkthrough,
  sweeps: createSweeps,
  results: createResults,
};

/**
 * @param {PartData} data
 * @param {HTMLElement} parent
 */
const createPart = (data, parent) => CREATE[data.part](data, parent);

/** @param {PartData} data */
function getPage(data) {
  if (!sharedPage) {
    const api = createApi(data.api);
    const runs = new RunList(api);
    const page = {
      api,
      runs,
      tabs: new Tabs(),
      viewer: null,
      picture: null,
      walkthrough: null,
      sweeps: null,
      started: null,
      open: () => {},
    };
    sharedPage = page;
    loadCatalog(api).then(() => update(page));
    loadAccess(api).then(() => update(page));
  }
  return sharedPage;
}

/**
 * Draw again: with titles, limits and families from the catalog, or with what the visitor may do.
 * @param {Page} page
 */
function update({ viewer, runs }) {
  viewer?.update();
  viewer?.setView(viewer.view);
  runs.dispatchEvent(new Event("change"));
}

/**
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createViewer(data, parent) {
  const page = getPage(data);
  // Streamlit may mount the viewer into another element; its state stays.
  const viewer =
    (page.viewer ??= new Viewer(page.api, page.runs, page.tabs, (id) => page.open(id)));
  const element = createRoot(parent, viewer.element);
  viewer.resize();
  /** @type {string | null | undefined} */
  let lastRun = undefined; // that Streamlit passed; the user may have opened another one since
  return {
    element,
    /** @param {PartData} data */
    update: ({ run = null, started: ids }) => {
      const [started, compared] = ids ?? [];
      page.tabs.apply();
      // A restarted Streamlit passes no started run.
      if (started && started !== page.started) {
        viewer.goTo(started);
        if (compared) viewer.compare(compared);
      } else if (viewer.isShown && run !== lastRun) viewer.navigation.pin(run);
      lastRun = run;
      page.started = started ?? page.started;
      viewer.updateTheme();
    },
  };
}

/**
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createRuns(data, parent) {
  const page = getPage(data);
  const table = new RunTable(page.api, page.runs, {
    open: (id) => page.open(id),
    compare: (id) => page.viewer?.compare(id),
    openSweep: (id) => openSweep(page, id),
    openId: () => page.viewer?.store.id,
    comparedId: () => page.viewer?.view.compare,
  });
  const element = createRoot(parent, table.element);
  /** @type {() => void} */
  let rerun = () => {};
  onReconnect(() => rerun());
  return {
    element,
    update: (_, trigger) => {
      rerun = () => trigger("rerun", Date.now());
      page.open = (id) => {
        page.viewer?.goTo(id);
        table.update();
      };
      page.runs.refresh();
    },
  };
}

/**
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createResults(data, parent) {
  const results = new Results(getPage(data).api);
  return {
    element: createRoot(parent, results.element),
    update: () => results.load(),
    close: () => results.close(),
  };
}

/**
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createPicture(data, parent) {
  const page = getPage(data);
  const picture = (page.picture ??= createPictureTab(page));
  return {
    element: createRoot(parent, picture.element),
    update: () => showOrHide(page, "picture", picture),
  };
}

/** @param {Page} page */
function createPictureTab(page) {
  const picture = joinTabs(page, "picture", new PictureTab(page.api));
  acceptPastes(document, (file) => {
    if (page.walkthrough && page.tabs.current === "how") return page.walkthrough.take(file);
    page.tabs.go("picture");
    picture.take(file);
  });
  return picture;
}

/**
 * Create the tab of the walkthrough, whose modules are loaded when it is first shown.
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createWalkthrough(data, parent) {
  const page = getPage(data);
  const root = createRoot(parent);
  const show = async () => {
    if (!page.walkthrough && page.tabs.current !== "how") return;
    const walkthrough = (page.walkthrough ??= await loadWalkthrough(page));
    if (walkthrough.element.parentElement !== root) root.append(walkthrough.element);
    showOrHide(page, "how", walkthrough);
  };
  page.tabs.addEventListener("change", show);
  return {
    element: root,
    update: show,
    close: () => page.tabs.removeEventListener("change", show),
  };
}

/** @type {Promise<Walkthrough> | null} */
let loadingWalkthrough = null;

/** @param {Page} page */
function loadWalkthrough(page) {
  loadingWalkthrough ??= import("./walkthrough/walkthrough.js").then(({ Walkthrough }) =>
    createWalkthroughTab(page, new Walkthrough(page.api))
  );
  // After a failure, the next visit tries again.
  loadingWalkthrough.catch(() => (loadingWalkthrough = null));
  return loadingWalkthrough;
}

/**
 * @param {Page} page
 * @param {Walkthrough} walkthrough
 */
function createWalkthroughTab(page, walkthrough) {
  joinTabs(page, "how", walkthrough);
  walkthrough.onstep = () => page.tabs.pushAddress(walkthrough.query());
  page.tabs.addEventListener("restore", () => {
    walkthrough.hide();
    showOrHide(page, "how", walkthrough);
  });
  return walkthrough;
}

/**
 * Create the tab of sweeps, whose modules are loaded when it is first shown.
 * @param {PartData} data
 * @param {HTMLElement} parent
 * @returns {Part}
 */
function createSweeps(data, parent) {
  const page = getPage(data);
  const root = createRoot(parent);
  const show = async () => {
    if (!page.sweeps && page.tabs.current !== "sweeps") return;
    const sweeps = (page.sweeps ??= await loadSweeps(page));
    if (sweeps.element.parentElement !== root) root.append(sweeps.element);
    showOrHide(page, "sweeps", sweeps);
  };
  // The navigation has no link to an empty tab.
  const update = () =>
    document.documentElement.toggleAttribute("data-sweeps", page.runs.sweeps.length > 0);
  page.tabs.addEventListener("change", show);
  page.runs.addEventListener("change", update);
  /** @type {string | null} */
  let started = null; // the sweep that Streamlit passed last
  return {
    element: root,
    /** @param {PartData} data */
    update: ({ sweep = null }) => {
      if (sweep && sweep !== started) openSweep(page, sweep);
      started = sweep;
      show();
    },
    close: () => {
      page.tabs.removeEventListener("change", show);
      page.runs.removeEventListener("change", update);
    },
  };
}

/**
 * Show a sweep in its tab.
 * @param {Page} page
 * @param {string} id
 */
function openSweep({ tabs }, id) {
  tabs.replaceAddress("sweeps", { sweep: id });
  tabs.go("sweeps");
}

/** @type {Promise<SweepsTab> | null} */
let loadingSweeps = null;

/** @param {Page} page */
function loadSweeps(page) {
  loadingSweeps ??= import("./sweeps/sweeps-tab.js").then(({ SweepsTab }) => {
    const tab = new SweepsTab(page.api, {
      openRun: (id) => page.open(id),
      choose: () => page.tabs.pushAddress(tab.query()),
    });
    page.tabs.addEventListener("restore", () => showOrHide(page, "sweeps", tab));
    return joinTabs(page, "sweeps", tab);
  });
  // After a failure, the next visit tries again.
  loadingSweeps.catch(() => (loadingSweeps = null));
  return loadingSweeps;
}

/**
 * Connect what fills a tab to the tabs and the address; return it.
 * @template {TabContent} T
 * @param {Page} page
 * @param {Tab} tab
 * @param {T} content
 */
function joinTabs(page, tab, content) {
  content.onchange = () => page.tabs.replaceAddress(tab, content.query());
  page.tabs.addEventListener("change", () => showOrHide(page, tab, content));
  return content;
}

/**
 * @param {Page} page
 * @param {Tab} tab
 * @param {TabContent} content
 */
function showOrHide({ tabs }, tab, content) {
  if (tabs.current === tab) content.show(addressQuery());
  else content.hide();
}

/**
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} content
 */
function createRoot(parent, ...content) {
  const root = document.createElement("div");
  root.className = "stn-root";
  root.append(...content);
  parent.append(root);
  return root;
}
