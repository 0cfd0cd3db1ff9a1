// Buttons that delete at their second press.

import { setText } from "./dom.js";

const CONFIRM = "Confirm delete";
// Milliseconds in which a deletion can be confirmed.
const CONFIRM_TIMEOUT = 5000;

/**
 * Ask for a confirmation at the first press of a button; call this at each press.
 * @param {HTMLButtonElement} button
 * @param {string} title of the button, while nothing is to be confirmed
 * @param {string} subject what it deletes, for its label; empty if there is one such button only
 * @returns {boolean} whether this press confirms
 */
export function isDeleteConfirmed(button, title, subject = "") {
  if (button.dataset.confirming) return true;
  /** @param {string} text */
  const show = (text) => {
    setText(button, text);
    if (subject) button.setAttribute("aria-label", `${text} ${subject}`);
  };
  button.dataset.confirming = "true";
  show(CONFIRM);
  setTimeout(() => {
    delete button.dataset.confirming;
    show(title);
  }, CONFIRM_TIMEOUT);
  return false;
}
