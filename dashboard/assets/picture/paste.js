// Pictures that are pasted anywhere on the page go to the file uploader.

/**
 * Pass pasted pictures to the uploader, so that its limits and error messages apply.
 * @param {Document} page
 */
export function acceptPastes(page) {
  page.addEventListener("paste", (event) => {
    const uploader = page.querySelector(".st-key-upload");
    const input = uploader?.querySelector("input");
    const picture = pastedPicture(event.clipboardData, isEditable(event.composedPath()[0]));
    if (!uploader || input?.type !== "file" || !picture) return;
    event.preventDefault();
    const transfer = new DataTransfer();
    transfer.items.add(picture);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    uploader.scrollIntoView({ block: "nearest" });
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
