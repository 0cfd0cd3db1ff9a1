// A picture that is pasted anywhere on the page goes the way of a chosen file: into the uploader.

/**
 * Hands pasted pictures to the uploader, so that limits and errors are those of a chosen file.
 * @param {Document} page
 */
export function acceptPastes(page) {
  page.addEventListener("paste", (event) => {
    const uploader = page.querySelector(".st-key-upload");
    const input = uploader?.querySelector("input[type=file]");
    const picture = pastedPicture(event.clipboardData, isEditable(event.composedPath()[0]));
    if (!input || !picture) return;
    event.preventDefault();
    const handed = new DataTransfer();
    handed.items.add(picture);
    input.files = handed.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    uploader.scrollIntoView({ block: "nearest" });
  });
}

/**
 * The first picture on a clipboard; none where what is pasted belongs into a field.
 * @param {DataTransfer} clipboard
 * @param {boolean} intoField a field that takes text comes first, where there is text
 */
// Exported for tests.
export function pastedPicture(clipboard, intoField) {
  const items = [...(clipboard?.items ?? [])];
  if (intoField && items.some((item) => item.kind === "string")) return null;
  const found = items.find((item) => item.kind === "file" && item.type.startsWith("image/"));
  return found?.getAsFile() ?? null;
}

function isEditable(target) {
  return Boolean(target?.closest?.("input, textarea, [contenteditable]"));
}
