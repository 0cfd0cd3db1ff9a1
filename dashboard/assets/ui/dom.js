// Creates DOM elements in one expression each.

/**
 * Create an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag | `${Tag}.${string}`} name its tag and classes, as in "span.stn-label"
 * @param {Record<string, any>} properties set on the element; `aria` and `data` hold attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const created = document.createElement(/** @type {Tag} */ (tag));
  created.className = classes.join(" ");
  const { aria = {}, data = {}, ...fields } = properties;
  Object.assign(created, fields);
  for (const [key, value] of Object.entries(aria)) created.setAttribute(`aria-${key}`, value);
  Object.assign(created.dataset, data);
  created.append(...children);
  return created;
}

/** Create the hidden input with which the user chooses the file of a picture. */
export const pictureInput = () =>
  // What the browser offers first; the server recognises a format by its content.
  element("input", { type: "file", accept: "image/*,.jfif,.jpe", hidden: true });

/**
 * Set an element's text if it differs, so that no layout is computed for nothing.
 * @param {Element} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Create an SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} name
 * @param {Record<string, string | number>} values its attributes
 */
export const svgElement = (name, values = {}) =>
  setAttributes(document.createElementNS("http://www.w3.org/2000/svg", name), values);

/**
 * Create a text in SVG.
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {"start" | "middle" | "end"} anchor where in the text the point is
 */
export function svgText(x, y, text, anchor) {
  const created = svgElement("text", { x, y, "text-anchor": anchor });
  created.textContent = text;
  return created;
}

/**
 * Set attributes, and return the element.
 * @template {Element} T
 * @param {T} target
 * @param {Record<string, string | number>} values
 */
export function setAttributes(target, values) {
  for (const [name, value] of Object.entries(values)) target.setAttribute(name, String(value));
  return target;
}

/**
 * Create an icon.
 * @param {string} path path data in a box of 16 by 16
 */
export function icon(path) {
  const created = svgElement("svg", {
    viewBox: "0 0 16 16",
    class: "stn-icon",
    "aria-hidden": "true",
  });
  created.append(svgElement("path", { d: path }));
  return created;
}

export const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z",
  step: "M3 2.5v11l7-5.5zM11 2.5h2v11h-2z",
  stop: "M3 3h10v10H3z",
  back: "M10.5 2.5 5 8l5.5 5.5 1.4-1.4L7.8 8l4.1-4.1z",
  next: "M5.5 2.5 11 8l-5.5 5.5-1.4-1.4L8.2 8 4.1 3.9z",
  right: "M6.4 12.6 2 8.2l1.5-1.5 2.9 2.9 6.1-6.2L14 4.9z",
  wrong: "M3.4 2 8 6.6 12.6 2 14 3.4 9.4 8l4.6 4.6-1.4 1.4L8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z",
};
