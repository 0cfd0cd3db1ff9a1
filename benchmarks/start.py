"""Time to start a run: from the click on "Start training" to its first painted frame.

    python -m benchmarks.start [--starts 10]

The server runs and its standby trainer is ready before each click.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from benchmarks._page import open_page
from benchmarks._processes import wait_until_idle
from benchmarks._spread import summary
from tests.live_server import Server, serve

SETTLE_MILLISECONDS = 1_000
IS_NEW = "(known) => window.paints.some((paint) => !known.includes(paint.run))"
TOOK = """(known) => {
  const { run, at } = window.paints.find((paint) => !known.includes(paint.run));
  return [run, at - window.acted];
}"""


def start(page: Page, server: Server, seed: int) -> float:
    """Return milliseconds from the click to the first painted frame of the new run."""
    page.get_by_role("link", name="New run").click()
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.get_by_label("Seed", exact=True).press("Tab")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
    wait_until_idle(server)
    known_runs = ["example-digits", *(run["id"] for run in server.http.get("/runs").json())]
    page.get_by_role("button", name="Start training").click()
    page.wait_for_function(IS_NEW, arg=known_runs)
    run_id, milliseconds = page.evaluate(TOOK, known_runs)
    server.control(run_id, "stop")
    server.wait_for_status(run_id, "stopped")
    return float(milliseconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=10)
    starts = parser.parse_args().starts
    with (
        tempfile.TemporaryDirectory() as home,
        open_page() as page,
        serve(Path(home), "--no-demonstration") as server,
    ):
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.get_by_role("link", name="New run").click()
        page.get_by_role("button", name="Start training").wait_for()
        page.get_by_role("radio", name="Own settings").click()
        times = [start(page, server, seed) for seed in range(starts)]
    print(
        f"Click on Start training to the run's first painted frame: {summary(times, 'starts')}, "
        f"quartiles {', '.join(f'{value:.0f}' for value in statistics.quantiles(times, n=4))} ms "
        "(goal: below 1 s)"
    )


if __name__ == "__main__":
    main()
