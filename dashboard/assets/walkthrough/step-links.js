// Links from a step of the walkthrough to the paper's section, and to the line of code that does it.

import { element } from "../ui/dom.js";

/** @import { Api } from "../protocol/api.js" */
/** @import { Step } from "./steps.js" */

const PAPER = "https://arxiv.org/abs/1506.02025";
const NEW_TAB = { target: "_blank", rel: "noreferrer" };

/** @param {Step} step */
export function paperLink({ section }) {
  const text = `Section ${section} of the paper`;
  return element("a", { href: PAPER, ...NEW_TAB }, text);
}

/**
 * @param {Api} api
 * @param {Step} step
 */
export function codeLink(api, { code: { path, line } }) {
  const shown = line.trim();
  // A browser that supports text fragments scrolls to the line, and marks it.
  const href = `${api.sourceUrl(path).href}#:~:text=${encodeFragment(shown)}`;
  return element(
    "a.stn-walkthrough-code",
    { href, ...NEW_TAB },
    `${path}: `,
    element("code", {}, shown),
  );
}

/**
 * Encode a text for a fragment, in which a hyphen and a comma have a meaning too.
 * @param {string} text
 */
const encodeFragment = (text) => encodeURIComponent(text).replaceAll("-", "%2D");
