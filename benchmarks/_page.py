"""A real browser with the page, which records input events and paints."""

import itertools
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import ClientConnection, connect

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


class Inspector:
    """A connection to a page in the protocol of Chrome's developer tools.

    It inspects the page for as long as it lasts. Playwright's connections do more: they have a
    record kept of each request, and make a context for scripts in the page, which stays.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count()

    def send(self, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Call a method; return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params or {}}
        self._connection.send(json.dumps(message))
        while True:
            reply: dict[str, Any] = json.loads(self._connection.recv(TIMEOUT / 1000))
            if reply.get("id") == number:
                result: dict[str, Any] = reply["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = self.send("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        if "exceptionDetails" in found:
            raise RuntimeError(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")


@dataclass(frozen=True)
class UnattendedPage:
    """A page in a browser that nothing is connected to, but for a moment at a time."""

    port: int
    """Port of the browser's debugging interface."""

    @contextmanager
    def inspect(self) -> Iterator[Inspector]:
        """Connect to the page for the duration of the block."""
        targets = httpx.get(f"http://127.0.0.1:{self.port}/json", trust_env=False).json()
        (address,) = (
            target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"
        )
        with connect(address, max_size=None) as connection:
            yield Inspector(connection)


@contextmanager
def open_unattended(address: str, profile: Path) -> Iterator[UnattendedPage]:
    """Open an address in a browser with this folder as its profile."""
    options = ["--headless", "--no-sandbox", "--no-first-run", "--window-size=1280,720"]
    options += ["--remote-debugging-port=0", f"--user-data-dir={profile}", address]
    port = profile / "DevToolsActivePort"
    with subprocess.Popen([_browser_path(), *options], stderr=subprocess.DEVNULL) as browser:
        try:
            while not (port.exists() and port.read_text()):
                if browser.poll() is not None:
                    raise SystemExit(f"The browser ended with exit code {browser.returncode}.")
                time.sleep(0.1)
            yield UnattendedPage(int(port.read_text().split()[0]))
        finally:
            browser.terminate()


def _browser_path() -> str:
    if found := find():
        return found
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path
