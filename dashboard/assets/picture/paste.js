// Pictures that are pasted anywhere on the page.

/**
 * Call a function with each picture that is pasted.
 * @param {Document} page
 * @param {(picture: File) => void} onPicture
 */
export function acceptPastes(page, onPicture) {
  page.addEventListener("paste", (event) => {
    const picture = pastedPicture(event.clipboardData, isEditable(event.composedPath()[0]));
    if (!picture) return;
    event.preventDefault();
    onPicture(picture);
  });
}

/**
 * Return the first picture on a clipboard; null if there is none, or if text is pasted into a field.
 * Exported for tests.
 * @param {DataTransfer | null} clipboard
 * @param {boolean} isIntoField whether a field that takes text is focused
 */
export function pastedPicture(clipboard, isIntoField) {
  const items = [...(clipboard?.items ?? [])];
  if (isIntoField && items.some((item) => item.kind === "string")) return null;
  const found = items.find((item) => item.kind === "file" && item.type.startsWith("image/"));
  return found?.getAsFile() ?? null;
}

/** @param {EventTarget} target */
function isEditable(target) {
  return target instanceof Element && target.closest("input, textarea, [contenteditable]") !== null;
}
