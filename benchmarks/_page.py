"""A real browser with the page in it, that notes what is done to the page and what it paints."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from tools.browser import find

# A paint is told after the frame's canvases were drawn; the next task runs once they have been
# painted. `painted` is in seconds since 1970, `at` in milliseconds of the page's own clock, as is
# the time at which the page was last acted upon.
NOTE_PAINTS = """
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
PATIENCE = 60_000
"""Milliseconds for anything to come about."""


@contextmanager
def open_page() -> Iterator[Page]:
    """A window of a browser with nothing in it yet, whose pages keep `window.paints`."""
    browser_path = find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE)
        page.add_init_script(NOTE_PAINTS)
        yield page
        browser.close()
