"""A real browser with the page, which records input events and paints."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tools.browser import find

# The event comes after the canvases were drawn; the next task runs once they have been painted.
# `painted` is in seconds since 1970; `at`, and `acted`, the time of the last input event, are in
# milliseconds of the page's clock.
RECORD_PAINTS = """
window.paints = [];
document.addEventListener("stnscope:paint", ({ detail, target }) => {
  const run = target.dataset.run;
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () =>
      window.paints.push({ ...detail, run, painted: Date.now() / 1000, at: performance.now() });
    port2.postMessage(null);
  });
});
for (const kind of ["click", "keydown", "input"]) {
  addEventListener(kind, ({ timeStamp }) => (window.acted = timeStamp), { capture: true });
}
"""
TIMEOUT = 60_000
"""Milliseconds."""


@contextmanager
def open_page() -> Iterator[Page]:
    """Open an empty browser window whose pages record `window.paints`."""
    browser_path = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        # The page's policy forbids the evaluation of text, by which Playwright waits.
        page = browser.new_page(viewport={"width": 1280, "height": 720}, bypass_csp=True)
        page.set_default_timeout(TIMEOUT)
        page.add_init_script(RECORD_PAINTS)
        yield page
        browser.close()
