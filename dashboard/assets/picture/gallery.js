// The pictures that ship: digits and traffic signs, from easy to hard.

/**
 * @typedef {object} GalleryPicture
 * @property {string} name of its file, and in addresses
 * @property {string} title
 * @property {string} subject what it shows, as weights name it
 */

/** @type {GalleryPicture[]} */
export const GALLERY = [
  { name: "upright", title: "Upright", subject: "digit" },
  { name: "corner", title: "In a corner", subject: "digit" },
  { name: "rotated", title: "Rotated", subject: "digit" },
  { name: "paper", title: "On paper", subject: "digit" },
  { name: "clutter", title: "Among clutter", subject: "digit" },
  { name: "bent", title: "Bent and small", subject: "digit" },
  { name: "stop", title: "Stop", subject: "traffic sign" },
  { name: "tilted", title: "Tilted", subject: "traffic sign" },
  { name: "dark", title: "In the dark", subject: "traffic sign" },
  { name: "far", title: "Far away", subject: "traffic sign" },
  { name: "behind", title: "Behind a pole", subject: "traffic sign" },
  { name: "oblique", title: "From the side", subject: "traffic sign" },
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
