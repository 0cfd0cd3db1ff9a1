// The pictures that ship: digits and traffic signs, from easy to hard.

/**
 * @typedef {object} GalleryPicture
 * @property {string} name of its file, and in addresses
 * @property {string} title
 * @property {string} subject what it shows, as weights name it
 * @property {string} class of what it shows, by name
 */

/** @type {GalleryPicture[]} */
export const GALLERY = [
  { name: "upright", title: "Upright", subject: "digit", class: "4" },
  { name: "corner", title: "In a corner", subject: "digit", class: "5" },
  { name: "rotated", title: "Rotated", subject: "digit", class: "7" },
  { name: "paper", title: "On paper", subject: "digit", class: "3" },
  { name: "clutter", title: "Among clutter", subject: "digit", class: "6" },
  { name: "bent", title: "Bent and small", subject: "digit", class: "9" },
  { name: "stop", title: "Stop", subject: "traffic sign", class: "stop" },
  { name: "tilted", title: "Tilted", subject: "traffic sign", class: "limit 50" },
  { name: "dark", title: "In the dark", subject: "traffic sign", class: "keep right" },
  { name: "far", title: "Far away", subject: "traffic sign", class: "give way" },
  { name: "behind", title: "Behind a pole", subject: "traffic sign", class: "no entry" },
  { name: "oblique", title: "From the side", subject: "traffic sign", class: "priority road" },
];

/**
 * Return the address of a picture's file.
 * @param {GalleryPicture} picture
 */
export const galleryUrl = ({ name }) => new URL(`../examples/${name}.png`, import.meta.url);

/**
 * Return a picture by its name; undefined if there is none.
 * @param {string | null} name
 */
export const galleryPicture = (name) => GALLERY.find((picture) => picture.name === name);
