"""A watched run in a notebook: its live page below the cell, and a picture without a server."""

import asyncio
import json
import os
import re
import threading
from base64 import b64decode
from collections.abc import Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import httpx
import nbformat
from nbclient import NotebookClient
from PIL import Image
from playwright.sync_api import BrowserContext, expect

from tests.file_server import serve_files
from tests.live_server import wait_until
from tests.source_files import ROOT
from tests.timeouts import TIMEOUT_MS, TIMEOUT_SECONDS

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"


def html_of(cell: Any) -> str:
    """Return what a cell displays."""
    (output,) = cell["outputs"]
    return "".join(output["data"]["text/html"])


def picture_in(html: str) -> Image.Image:
    encoded = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert encoded is not None
    return Image.open(BytesIO(b64decode(encoded[1])))


def address_in(html: str) -> str:
    link = re.search(r'href="(http://localhost:\d+/)\?run=', html)
    assert link is not None
    return link[1]


def test_notebook_is_stored_with_its_results() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    shown = [html_of(cell) for cell in cells if cell.get("outputs")]
    first, last = map(picture_in, shown)
    assert first.size[0] > 100
    assert first.tobytes() != last.tobytes()
    # Nothing of the machine that made it.
    assert str(Path.home()) not in NOTEBOOK.read_text()


class Notebook:
    """The notebook with a kernel of its own, whose cells run in another thread.

    The kernel's client needs an event loop, and Playwright has that of this thread.
    """

    def __init__(self, home: Path) -> None:
        content = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
        self.cells = content.cells
        for cell in self.cells:
            cell.source = re.sub(r"EPOCHS = \d+", "EPOCHS = 1", cell.source)
        self._client = NotebookClient(content, timeout=TIMEOUT_SECONDS)
        self._environment = os.environ | {"STNSCOPE_HOME": str(home)}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self._kernel = self._client.async_setup_kernel(env=self._environment)
        self._run(self._kernel.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.shut_down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def shut_down(self) -> None:
        """End the kernel."""
        if self._client.kc is not None:
            self._run(self._kernel.__aexit__(None, None, None))

    def execute(self, number: int) -> None:
        """Execute a cell, and wait for it."""
        self._run(self._client.async_execute_cell(self.cells[number], number))

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def test_run_is_live_below_its_cell_and_its_server_ends_with_the_kernel(
    tmp_path: Path, context: BrowserContext
) -> None:
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    with Notebook(tmp_path) as notebook:
        cells = notebook.cells
        numbers = [number for number, cell in enumerate(cells) if cell.cell_type == "code"]
        *before, training, last = numbers
        for number in before:
            notebook.execute(number)
        html = html_of(cells[before[-1]])
        # The address of a real server: a browser asks for permission before a page of an unknown
        # one reaches this machine.
        with serve_files({"notebook": f"<!doctype html>{html}".encode()}) as jupyter:
            page.goto(f"{jupyter.address}/notebook")
            stage = page.frame_locator("iframe").locator(".stn-viewer .stn-probes").first
            expect(stage).to_have_attribute("data-step", "0")
            notebook.execute(training)
            wait_until(lambda: int(stage.get_attribute("data-step") or 0) > 0)
            page.close()
        notebook.execute(last)
        shown = html_of(cells[last])
        assert picture_in(shown).tobytes() != picture_in(html).tobytes()
        address = address_in(html)
        # `show` found the running server.
        assert address_in(shown) == address
        assert is_served(address)
        notebook.shut_down()
    wait_until(lambda: not is_served(address))


def is_served(address: str) -> bool:
    try:
        return httpx.get(f"{address}api/health").is_success
    except httpx.TransportError:
        return False
