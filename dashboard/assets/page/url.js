// The page's address: it names the run, the step and the view, so that every view is a link.

import { viewQuery } from "../ui/view-state.js";

/** @import { View } from "../ui/view-state.js" */

/**
 * Write a run and its view into the address, in place of the current entry of the browser's history.
 * @param {string | null} run its id
 * @param {View} view
 * @param {{step: number | null, lap: boolean}} at as of `viewQuery`
 */
export function replaceAddress(run, view, at) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries({ run, ...viewQuery(view, at) })) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}

/**
 * Add a run's address to the browser's history.
 * @param {string} run its id
 */
export const pushAddress = (run) => history.pushState(null, "", `?run=${encodeURIComponent(run)}`);

/** Return the parameters of the address. */
export const addressQuery = () => new URLSearchParams(location.search);
