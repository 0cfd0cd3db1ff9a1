"""Time from a key press to the painted step, in a recording of 10,000 frames.

    python -m benchmarks.seek [--frames 10000] [--presses 200] [--opens 8]

Keys (home, end, arrows) and the timeline, set to random steps. Cold: the frame is neither in the
page nor in the browser's cache. Warm: it is shown again. The time is measured in the browser, from
the event to the task after the paint. The first frame is never cold: the page opens on it.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._long_run import make
from benchmarks._page import open_page
from benchmarks._spread import summary
from tests.live_server import Server, serve

SETTLE_MILLISECONDS = 4_000
RUN = "long"
ROW = 20
"""Consecutive presses of an arrow key."""


class Seeker:
    """A page that shows the recording; measures each press."""

    def __init__(self, page: Page, server: Server, frames: int) -> None:
        self._page = page
        self._address = f"http://127.0.0.1:{server.port}/?run={RUN}"
        self.last = frames - 1

    def open(self) -> None:
        """Reload the page with an empty cache, and pause it."""
        self._page.goto("about:blank")
        self._page.context.new_cdp_session(self._page).send("Network.clearBrowserCache")
        self._page.goto(self._address)
        self._page.wait_for_function("window.paints.length > 0")
        self._page.keyboard.press("Space")
        self._page.wait_for_timeout(SETTLE_MILLISECONDS)

    def press(self, key: str, step: int) -> float:
        """Return milliseconds from a key press to the paint of its step."""
        return self._timed(lambda: self._page.keyboard.press(key), step)

    def fill(self, step: int) -> float:
        """Return milliseconds from setting the timeline to the step's paint."""
        timeline = self._page.locator(".stn-timeline")
        return self._timed(lambda: timeline.fill(str(step)), step)

    def _timed(self, act: Callable[[], None], step: int) -> float:
        self._page.evaluate("window.paints.length = 0")
        act()
        self._page.wait_for_function("(step) => window.paints.at(-1)?.step === step", arg=step)
        milliseconds: float = self._page.evaluate("window.paints.at(-1).at - window.acted")
        return milliseconds


def ends(seeker: Seeker, times: int) -> tuple[list[float], list[float]]:
    """Measure the end key with its frame not cached; then home and end with both cached."""
    cold, warm = [], []
    for _ in range(times):
        seeker.open()
        cold.append(seeker.press("End", seeker.last))
        warm += [seeker.press("Home", 0), seeker.press("End", seeker.last)]
    return cold, warm


def arrows(seeker: Seeker, starts: Sequence[int]) -> list[float]:
    """Measure consecutive presses of the right arrow, from each of some steps."""
    times = []
    for start in starts:
        seeker.fill(start)
        times += [seeker.press("ArrowRight", start + count + 1) for count in range(ROW)]
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--presses", type=int, default=200)
    parser.add_argument("--opens", type=int, default=8, help="reloads of the page (%(default)s)")
    options = parser.parse_args()
    generator = random.Random(0)
    # Far enough apart that no two rows of arrows overlap.
    start_steps = generator.sample(
        range(ROW, options.frames - 2 * ROW, 2 * ROW), options.presses // ROW
    )
    chosen = generator.sample(range(options.frames), options.presses)
    with tempfile.TemporaryDirectory() as home, open_page() as page:
        make(Path(home) / "recordings" / f"{RUN}.stnscope", options.frames)
        with serve(Path(home), "--no-demonstration") as server:
            seeker = Seeker(page, server, options.frames)
            cold, warm = ends(seeker, options.opens)
            _report("end, cold", cold)
            _report("home and end, warm", warm)
            _report("timeline, cold", [seeker.fill(step) for step in chosen])
            _report("timeline, warm", [seeker.fill(step) for step in chosen])
            _report("right arrow, cold", arrows(seeker, start_steps))
            _report("right arrow, warm", arrows(seeker, start_steps))


def _report(action: str, times: list[float]) -> None:
    print(
        f"Press to painted step, {action}: {summary(times, 'presses')} (goal: p95 below 100 ms)",
        flush=True,
    )


if __name__ == "__main__":
    main()
