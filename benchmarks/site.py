"""A published run of 10,000 frames: the time until its first frame is painted, and until a step is.

    python -m benchmarks.site [--frames 10000] [--opens 8] [--steps 40]

The site is served by the standard library's server, which sends whole files only: the slowest way.
Each opening is that of a new page whose browser has nothing of it; steps are chosen at random on
the timeline, and most are in files that were not received yet.
"""

import argparse
import random
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._long_run import make
from benchmarks._page import open_page
from benchmarks._spread import summary
from stnscope.backend.experiment.export.site import PublishedRun, publish
from stnscope.backend.experiment.recording.reader import Recording

RUN = "long"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        pass


def first_paint(page: Page, address: str) -> float:
    """Return milliseconds from opening the player to its first painted frame."""
    page.goto("about:blank")
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(address)
    page.wait_for_function("window.paints.length > 0")
    return float(page.evaluate("window.paints[0].at"))


def step_paint(page: Page, step: int) -> float:
    """Return milliseconds from setting the timeline to the paint of its step."""
    page.evaluate("window.paints.length = 0")
    page.locator(".stn-timeline").fill(str(step))
    page.wait_for_function("(step) => window.paints.at(-1)?.step === step", arg=step)
    return float(page.evaluate("window.paints.at(-1).at - window.acted"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--opens", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "site"
        make(Path(home) / f"{RUN}.stnscope", options.frames)
        with Recording.open(Path(home) / f"{RUN}.stnscope") as recording:
            publish([PublishedRun(RUN, recording)], folder)
        size = sum(file.stat().st_size for file in (folder / "data" / "runs").rglob("*.*"))
        handler = partial(QuietHandler, directory=str(folder))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, open_page() as page:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/player.html?run={RUN}"
            opened = [first_paint(page, address) for _ in range(options.opens)]
            page.keyboard.press("Space")
            generator = random.Random(0)
            steps = [generator.randrange(options.frames) for _ in range(options.steps)]
            shown = [step_paint(page, step) for step in steps]
            server.shutdown()
    print(
        f"A published run of {options.frames:,} frames of 12 probes, {size / 1e6:.0f} MB. "
        f"From opening it to its first painted frame: {summary(opened, 'openings')}; "
        f"from the timeline to a step: {summary(shown, 'steps')}."
    )


if __name__ == "__main__":
    main()
