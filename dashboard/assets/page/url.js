// The page's address: it names the tab and what is shown in it, so that every view is a link.

/**
 * Write parameters into the address, in place of the current entry of the browser's history.
 * @param {Record<string, string | null>} fields null for those that are left out; others stay
 */
export function replaceQuery(fields) {
  const { href } = withFields(fields);
  if (href !== location.href) history.replaceState(history.state, "", href);
}

/**
 * Write parameters into the address, as a new entry of the browser's history.
 * @param {Record<string, string | null>} fields null for those that are left out; others stay
 */
export function pushQuery(fields) {
  const { href } = withFields(fields);
  if (href !== location.href) pushAddress(href);
}

/** @param {Record<string, string | null>} fields */
function withFields(fields) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  }
  return address;
}

/**
 * Return the address of the page with a query.
 * @param {URLSearchParams} query
 */
export const addressOf = (query) => (query.size ? `?${query}` : location.pathname);

/**
 * Add an address to the browser's history.
 * @param {string} address
 */
export const pushAddress = (address) => history.pushState(null, "", address);

/** Return the parameters of the address. */
export const addressQuery = () => new URLSearchParams(location.search);
