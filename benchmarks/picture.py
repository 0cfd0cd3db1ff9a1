"""Latencies of *Try a picture* and *How it works* in a real browser, beside the demonstration.

    python -m benchmarks.picture [--moves 200] [--starts 5]

Prints the time from a slider's movement to the painted response of both networks, the responses per
second while a slider moves continuously, the time until the first figure of the walkthrough is
painted, and the size of the modules and files of ours that the walkthrough loads.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._page import open_page
from benchmarks._spread import summary
from tests.live_server import Server, serve

MOVE = """(value) => {
  const slider = document.querySelector(".stn-slider");
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
}"""
SWEEP_SECONDS = 5
# Moves a slider before each repaint, and returns how many frames were painted.
DRAG = """async (seconds) => {
  const slider = document.querySelector(".stn-slider");
  const [begun, painted] = [performance.now(), window.paints.length];
  while (performance.now() - begun < 1000 * seconds) {
    await new Promise((done) => requestAnimationFrame(done));
    slider.value = Math.round(90 * Math.sin(performance.now() / 400));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
  return (window.paints.length - painted) / seconds;
}"""
FIGURE = ".stn-walkthrough-figure canvas, .stn-walkthrough-figure svg"
SIZES = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.includes("bidi-components") && !name.includes("vendor"))
  .map(({ decodedBodySize, encodedBodySize }) => [decodedBodySize, encodedBodySize])
  .reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0])"""


def _move(page: Page, count: int) -> list[float]:
    """Return milliseconds from each movement of a slider to its painted response."""
    delays = []
    for number in range(count):
        painted = page.evaluate("window.paints.length")
        page.evaluate(MOVE, (7 * number) % 90 - 45)
        page.wait_for_function("(painted) => window.paints.length > painted", arg=painted)
        delays.append(page.evaluate("window.paints.at(-1).at - window.acted"))
        page.wait_for_timeout(30)
    return delays


def _open_walkthrough(page: Page, server: Server) -> float:
    """Return milliseconds from a click on *How it works* to its first painted figure."""
    page.goto(f"http://127.0.0.1:{server.port}/?tab=picture")
    page.locator(".stn-picture [data-step]").wait_for()
    page.evaluate(
        """() => {
          document.querySelector('a[data-tab="how"]').click();
          window.clicked = performance.now();
        }"""
    )
    page.wait_for_function(
        f"document.querySelector('{FIGURE}')?.checkVisibility() && performance.now()"
    )
    shown: float = page.evaluate("performance.now() - window.clicked")
    return shown


def _size_of_walkthrough(page: Page, server: Server) -> list[int]:
    """Return bytes, and bytes on the wire, of the walkthrough; `page` has loaded nothing yet."""
    page.goto(f"http://127.0.0.1:{server.port}/?tab=how")
    page.wait_for_function(f"document.querySelector('{FIGURE}')?.checkVisibility()")
    page.wait_for_timeout(2_000)
    sizes: list[int] = page.evaluate(SIZES)
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        open_page() as page,
        serve(Path(home)) as server,
    ):
        decoded, encoded = _size_of_walkthrough(page, server)
        starts = [_open_walkthrough(page, server) for _ in range(options.starts)]
        page.goto(f"http://127.0.0.1:{server.port}/?tab=picture")
        page.locator(".stn-picture [data-step]").wait_for()
        page.wait_for_timeout(2_000)
        delays = _move(page, options.moves)
        rate = page.evaluate(DRAG, SWEEP_SECONDS)
    print(f"Slider to painted response: {summary(delays, 'moves')} (goal: p95 below 50 ms)")
    print(f"A slider in continuous motion: {rate:.0f} responses/s (goal: 20)")
    print(
        f"Click on How it works to its first figure: median {statistics.median(starts):.0f} ms of "
        f"{len(starts)} (goal: below 1000 ms)"
    )
    print(
        f"Modules and files of the walkthrough's page: {decoded / 1000:.0f} kB, "
        f"{encoded / 1000:.0f} kB on the wire (goal: below 300 kB)"
    )


if __name__ == "__main__":
    main()
