// The calls of the server, as functions. Errors carry the server's own words.

/** What went wrong, as a sentence to show; `status` is 0 where no answer came at all. */
class Problem extends Error {
  constructor(detail, status = 0) {
    super(detail);
    this.status = status;
  }
}

/**
 * The server's calls below one address.
 * @param {string} base the address; empty for the page's own origin
 */
export function createApi(base) {
  const root = new URL(base ? base.replace(/\/*$/, "/") : "/", location.href);
  const url = (path, query = {}) => {
    const address = new URL(`api/${path}`, root);
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) address.searchParams.set(name, value);
    }
    return address;
  };
  const socket = (path) => {
    const address = url(path);
    address.protocol = address.protocol.replace("http", "ws");
    return address;
  };
  const run = (id, rest = "") => `runs/${encodeURIComponent(id)}${rest}`;
  const json = async (path, query, options) => (await call(url(path, query), options)).json();
  return {
    catalog: () => json("catalog"),
    runs: () => json("runs"),
    run: (id) => json(run(id)),
    start: (config) => json("runs", {}, posted(config)),
    control: (id, request) => json(run(id, "/control"), {}, posted(request)),
    join: (id, image, label) => json(run(id, "/probes"), {}, form({ image, label })),
    remove: (id) => call(url(run(id)), { method: "DELETE" }),
    recordingUrl: (id) => url(run(id, "/recording")),
    takeIn: (recording) => json("recordings", {}, form({ recording })),
    frames: (id) => json(run(id, "/frames")),
    metrics: (id, query) => json(run(id, "/metrics"), query),
    frame: async (id, step, query) =>
      (await call(url(run(id, `/frames/${step}`), query))).arrayBuffer(),
    export: async (id, options, signal) =>
      (await call(url(run(id, "/export"), options), { signal })).blob(),
    streamUrl: (id) => socket(run(id, "/stream")),
    transformUrl: () => socket("transform/stream"),
  };
}

function posted(body) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
}

/** A form of fields and files; what is empty is left out. */
function form(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) body.append(name, value);
  return { method: "POST", body };
}

async function call(address, options = {}) {
  // A page of another origin than the server's needs to be let in by name, with its cookie.
  const credentials = address.origin === location.origin ? "same-origin" : "include";
  let answer;
  try {
    answer = await fetch(address, { credentials, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("The server does not answer. It may have been stopped.");
  }
  if (!answer.ok) throw await problem(answer);
  return answer;
}

async function problem(answer) {
  const body = await answer.json().catch(() => ({}));
  const detail = typeof body.detail === "string" ? body.detail : null;
  return new Problem(detail ?? `The server answered with ${answer.status}.`, answer.status);
}
