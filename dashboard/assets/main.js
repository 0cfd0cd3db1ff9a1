// What Streamlit calls: each part of the page, mounted once and told again when its data changes.
//
// Streamlit calls anew, without cleaning up before, whenever the data or the theme changes; so a
// view is made once for each element and lives until its element goes.

import { createApi } from "./protocol/api.js";
import { loadCatalog } from "./protocol/catalog.js";
import { decodeFrame } from "./protocol/frame.js";
import { acceptPastes } from "./picture/paste.js";
import { PictureView } from "./picture/transform-view.js";
import { onReconnect } from "./page/streamlit-reconnect.js";
import { RunList } from "./run/run-list.js";
import { RunsView } from "./runs/run-table.js";
import { Viewer } from "./page/viewer.js";

const views = new Map(); // parent element -> its view
let shared = null; // one server, one list of runs and one viewer on a page

const PARTS = { viewer: mountViewer, runs: mountRuns, picture: mountPicture };

export default function mount({ data, parentElement, setTriggerValue }) {
  const part = data instanceof Uint8Array ? "picture" : data.part;
  const view = views.get(parentElement) ?? PARTS[part](data, parentElement);
  views.set(parentElement, view);
  view.update(data, setTriggerValue);
  return () => {
    view.element.remove();
    views.delete(parentElement);
    view.close?.();
  };
}

function common(data) {
  if (!shared) {
    const api = createApi(data.api);
    shared = { api, runs: new RunList(api), viewer: null, open: () => {} };
    // Until then regions cannot be described by their family's traits.
    loadCatalog(api).then(() => shared.viewer?.change(shared.viewer.view));
    acceptPastes(document);
  }
  return shared;
}

function mountViewer(data, parent) {
  const page = common(data);
  // Streamlit may put the same part into another element; it goes on where it was.
  page.viewer ??= new Viewer(page.api, page.runs, (id) => page.open(id));
  const { viewer } = page;
  const view = place(parent, viewer.element);
  viewer.resize();
  let told; // what Streamlit asked for last; where one has gone since is the page's own affair
  let shown = null; // the run that was started in the form last
  view.update = ({ run = null, started = null }) => {
    if (run !== told) viewer.pin(run);
    told = run;
    // Started below the stage, it is seen on it. Streamlit forgets it when it is started anew.
    if (started && started !== shown) viewer.reveal();
    shown = started ?? shown;
    viewer.theme();
  };
  return view;
}

function mountRuns(data, parent) {
  const page = common(data);
  const runs = new RunsView(page.api, page.runs, {
    open: (id) => page.open(id),
    compare: (id) => page.viewer?.compare(id),
    shown: () => page.viewer?.watch.id,
    beside: () => page.viewer?.view.compare,
  });
  const view = place(parent, runs.element);
  onReconnect(() => view.runAgain?.());
  view.update = (_, trigger) => {
    view.runAgain = () => trigger("again", Date.now());
    page.open = (id) => {
      page.viewer?.goTo(id);
      runs.show();
    };
    page.runs.refresh();
  };
  return view;
}

function mountPicture(_, parent) {
  const picture = new PictureView(() => shared?.api.transformUrl());
  const view = place(parent, picture.element);
  view.close = () => picture.close();
  view.update = (bytes) => picture.show(decodeFrame(bytes));
  return view;
}

function place(parent, content) {
  const root = document.createElement("div");
  root.className = "stn-root";
  root.append(content);
  parent.append(root);
  return { element: root };
}
