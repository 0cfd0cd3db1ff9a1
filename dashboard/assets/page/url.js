// What is looked at, in the page's address: opened elsewhere it shows the same.

import { viewQuery } from "../ui/view-state.js";

/**
 * Writes a run and its view into the address. It leaves no entry in the browser's history, since it
 * follows every step that is looked at.
 * @param {string | null} run its id
 * @param {{step: number | null, lap: boolean}} at as of `viewQuery`
 */
export function nameInAddress(run, view, at) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries({ run, ...viewQuery(view, at) })) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

/** Goes to another run's address, as another place in the browser's history. */
export const visit = (run) => history.pushState(null, "", `?run=${encodeURIComponent(run)}`);

/** What the address asks for. */
export const asked = () => new URLSearchParams(location.search);
