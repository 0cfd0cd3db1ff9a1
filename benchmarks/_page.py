"""A real browser with the page, which records input events and paints."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, Playwright, sync_playwright

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


@dataclass(frozen=True)
class UnattendedPage:
    """A page in a browser that nothing is connected to, but for a moment at a time.

    A connection inspects the page for as long as it lasts: the browser keeps a record of each
    request meanwhile, and the page's memory grows by it.
    """

    playwright: Playwright
    port: int
    """Of the browser's debugging interface."""

    @contextmanager
    def inspect(self) -> Iterator[Page]:
        """Connect to the page for the duration of the block."""
        browser = self.playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{self.port}")
        try:
            ((page,),) = (context.pages for context in browser.contexts)
            page.set_default_timeout(TIMEOUT)
            yield page
        finally:
            browser.close()


@contextmanager
def open_unattended(address: str, profile: Path) -> Iterator[UnattendedPage]:
    """Open an address in a browser with this folder as its profile."""
    options = ["--headless", "--no-sandbox", "--no-first-run", "--window-size=1280,720"]
    options += ["--remote-debugging-port=0", f"--user-data-dir={profile}", address]
    port = profile / "DevToolsActivePort"
    browser_path = find()
    with (
        sync_playwright() as playwright,
        subprocess.Popen(
            [browser_path or playwright.chromium.executable_path, *options],
            stderr=subprocess.DEVNULL,
        ) as browser,
    ):
        try:
            while not (port.exists() and port.read_text()):
                if browser.poll() is not None:
                    raise SystemExit(f"The browser ended with exit code {browser.returncode}.")
                time.sleep(0.1)
            yield UnattendedPage(playwright, int(port.read_text().split()[0]))
        finally:
            browser.terminate()
