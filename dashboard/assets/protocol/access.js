// What the page's visitor may do, loaded once for the whole page, and what a link for others is made of.

import { retry } from "./catalog.js";

/** @import { Access } from "./types.js" */

/** @type {Access | null} */
let current = null;

/**
 * Load what the visitor may do, and try again until the server responds.
 * @param {{access: () => Promise<Access>}} api
 */
export async function loadAccess(api) {
  current ??= await retry(api.access);
}

/**
 * Set what the visitor may do. Exported for tests.
 * @param {Access | null} access
 */
export function setAccess(access) {
  current = access;
}

/**
 * Return why the visitor may only view, as a sentence; null if not, and before this is loaded.
 * @returns {string | null}
 */
export const viewerRefusal = () => current?.refusal ?? null;

/**
 * Return the address of what a page shows, for others: with the token for viewing if there is one, and
 * never with the one for acting.
 * @param {string} href the page's address
 * @param {boolean} isOwnServer whether the server of the interface serves the page too
 */
export function sharedLink(href, isOwnServer) {
  const { address, viewer_token: viewerToken } = current ?? {};
  let link = new URL(href);
  // On the server's own machine the page may be open by a name that is of no use elsewhere.
  if (address && isOwnServer && isLoopback(link.hostname)) {
    link = new URL(link.search, address);
  }
  link.hash = "";
  link.searchParams.delete("token");
  if (viewerToken) link.searchParams.set("token", viewerToken);
  return link.href;
}

/**
 * Return who can open a shared link, as a sentence.
 * @param {string} link
 */
export function linkAudience(link) {
  const { protocol, hostname } = new URL(link);
  if (protocol === "file:") return "It opens on this machine only.";
  // It may be a tunnel to another machine, which a page cannot detect.
  if (isLoopback(hostname)) {
    return "It opens on this machine only; behind a tunnel, where the same tunnel is open.";
  }
  if (current?.viewer_token) return "It allows viewing, but no changes.";
  return current?.needs_token
    ? "It asks for the token."
    : "Everyone who can reach this server can open it.";
}

/** @param {string} hostname */
const isLoopback = (hostname) => /^(localhost|127\..*|\[::1\])$/.test(hostname);
