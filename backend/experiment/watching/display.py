"""The display of a watched run: its page, in a notebook or in a browser."""

import html
import json
import sys
import threading
import time
import webbrowser
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from stnscope.backend.experiment.watching.page_server import read

PICTURE_INTERVAL = 1.0
"""Seconds between two pictures where the page itself cannot be shown."""

# The picture stays where a notebook is only read: on a web page, or when no server runs any more.
PICTURE = """\
<div id="{key}" style="max-width: 100%">
  <p style="margin: 0 0 6px"><a href="{link}" target="_blank" rel="noopener">{title}</a></p>
  <img style="max-width: 100%" alt="Inputs with the sampled regions, and outputs" src="{picture}">
</div>
"""
PAGE = """\
<script>
(() => {{
  const place = document.getElementById("{key}");
  const show = () => {{
    const frame = document.createElement("iframe");
    frame.src = {embedded};
    frame.title = {label};
    frame.allow = "fullscreen; clipboard-write";
    frame.style.cssText = "display: block; width: 100%; height: {height}px; border: 0";
    place.replaceChildren(place.firstElementChild, frame);
  }};
  fetch({health}, {{ mode: "no-cors" }}).then(show, () => {{}});
}})();
</script>
"""


@dataclass(frozen=True)
class ShownRun:
    """A run to be shown.

    Attributes:
        id: of the run.
        title: of its link.
        address: of its server, with a slash at its end.
        is_live: returns whether more frames may come.
    """

    id: str
    title: str
    address: str
    is_live: Callable[[], bool]

    @property
    def link(self) -> str:
        """The address of its page."""
        return f"{self.address}?run={self.id}"


def show(run: ShownRun, height: int) -> None:
    """Show the page of a run in a notebook; elsewhere open it in a browser, and print its link.

    In Colab, whose browser does not reach this machine, pictures are shown and renewed.

    Args:
        run: to be shown.
        height: of the page in a notebook, in pixels.
    """
    display = _notebook_display()
    key = f"stnscope-{uuid4().hex}"
    if display is None:
        print(f"{run.title}: {run.link}")
        webbrowser.open(run.link)
    elif "google.colab" in sys.modules:
        threading.Thread(target=_renew, args=(display, run, key), daemon=True).start()
    else:
        display(_bundle(run, _picture(run, key) + _page(run, key, height)), raw=True)


def _renew(display: Any, run: ShownRun, key: str) -> None:
    """Show a picture of a run, and renew it until the run has ended."""
    last, is_update = "", False
    while True:
        is_live = run.is_live()
        picture = _picture(run, key)
        if picture != last:
            display(_bundle(run, picture), raw=True, display_id=key, update=is_update)
            last, is_update = picture, True
        if not is_live:
            return
        time.sleep(PICTURE_INTERVAL)


def _bundle(run: ShownRun, text: str) -> dict[str, str]:
    """Return what a notebook stores: HTML, and a text for where there is none."""
    return {"text/html": text, "text/plain": f"{run.title}: {run.link}"}


def _picture(run: ShownRun, key: str) -> str:
    """Return the last frame of a run as HTML that needs no server."""
    # The frame at or before the highest step that any run may have is the last one.
    data = read(f"{run.address}api/runs/{run.id}/frames/{2**53 - 1}/picture") or b""
    return PICTURE.format(
        key=key,
        link=html.escape(run.link),
        title=html.escape(run.title),
        picture=f"data:image/png;base64,{b64encode(data).decode()}",
    )


def _page(run: ShownRun, key: str, height: int) -> str:
    """Return a script that puts the page of a run in place of its picture if it is served."""
    return PAGE.format(
        key=key,
        embedded=_script(f"{run.link}&embed=true"),
        label=_script(run.title),
        health=_script(f"{run.address}api/health"),
        height=int(height),
    )


def _script(text: str) -> str:
    """Return a text as JavaScript, which cannot end its element."""
    return json.dumps(text).replace("<", "\\u003c")


def _notebook_display() -> Any:
    """Return IPython's `display` in a notebook; None elsewhere, as in its shell."""
    ipython: Any = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return ipython.display.display if hasattr(shell, "kernel") else None
