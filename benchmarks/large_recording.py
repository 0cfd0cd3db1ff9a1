"""A recording of 200,000 steps and 50,000 frames: the time and memory of all that reads it.

    python -m benchmarks.large_recording [--steps 200000] [--every 4] [--seeks 2000]

It is listed, opened, compared with another one as long, exported, and scrubbed through at random;
the memory of server and page is measured before and after. The page's is its heap and its buffers
after a forced collection.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from shutil import copy
from typing import Any

from playwright.sync_api import CDPSession, Page

from benchmarks._long_run import make
from benchmarks._page import open_page
from benchmarks._spread import summary
from benchmarks.memory import page_megabytes, resident_megabytes
from benchmarks.seek import RUN, Seeker
from stnscope.backend.experiment.limits import MAX_EXPORT_FRAMES
from tests.live_server import Server, serve

OTHER = "other"
PROBES = 2
REQUESTS = 20
METRICS: dict[str, dict[str, Any]] = {
    "10,000 steps of all": {},
    "2000 points, as the page requests them": {"points": 2000},
    "every 100th": {"every": 100},
}


def measure_requests(server: Server, name: str, path: str, **query: Any) -> None:
    """Print time and size of a request's response."""
    times = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        response = server.http.get(path, params=query).raise_for_status()
        times.append(1000 * (time.perf_counter() - started))
    sent = int(response.headers["content-length"]) / 1000
    print(f"{name}: {summary(times)}, {len(response.content) / 1000:.0f} kB, {sent:.0f} sent")


def measure_open(page: Page, server: Server, name: str, query: str) -> None:
    """Print the time from the navigation to the first painted frame."""
    started = time.perf_counter()
    page.goto(f"http://127.0.0.1:{server.port}/?{query}")
    page.wait_for_function("window.paints.length > 0")
    print(f"{name}: {time.perf_counter() - started:.2f} s to the first frame")


def measure_export(server: Server) -> None:
    """Print time and size of the longest export."""
    started = time.perf_counter()
    query = {"frames": MAX_EXPORT_FRAMES, "samples": 1}
    response = server.http.get(f"/runs/{RUN}/export", params=query, timeout=600)
    seconds = time.perf_counter() - started
    size = len(response.raise_for_status().content) / 1e6
    print(f"Export of {MAX_EXPORT_FRAMES} frames: {seconds:.1f} s, {size:.1f} MB")


def print_memory(when: str, server: Server, session: CDPSession, page: Page) -> None:
    assert server.process is not None
    elements = page.evaluate("document.querySelectorAll('*').length")
    print(
        f"Memory {when}: server {resident_megabytes(server.process.pid):.0f} MB, "
        f"page {page_megabytes(session):.0f} MB and {elements} elements",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--every", type=int, default=4, help="steps a frame (%(default)s)")
    parser.add_argument("--seeks", type=int, default=2000)
    options = parser.parse_args()
    generator = random.Random(0)
    frames = [generator.randrange(0, options.steps, options.every) for _ in range(options.seeks)]
    with tempfile.TemporaryDirectory() as home, open_page() as page:
        recording = Path(home) / "recordings" / f"{RUN}.stnscope"
        make(recording, options.steps, every=options.every, probes=PROBES)
        copy(recording, recording.with_stem(OTHER))
        print(f"{options.steps} steps, {recording.stat().st_size / 1e6:.0f} MB")
        with serve(Path(home), "--no-demonstration", "--no-standby") as server:
            measure_requests(server, "List of runs", "/runs")
            measure_requests(server, "One run", f"/runs/{RUN}")
            measure_requests(server, "Recorded steps", f"/runs/{RUN}/frames")
            for name, query in METRICS.items():
                measure_requests(server, f"Metrics, {name}", f"/runs/{RUN}/metrics", **query)
            measure_requests(server, "A frame", f"/runs/{RUN}/frames/{frames[0]}")
            measure_export(server)
            measure_open(page, server, "Open", f"run={RUN}")
            measure_open(page, server, "Open, compared", f"run={RUN}&compare={OTHER}")
            session = page.context.new_cdp_session(page)
            seeker = Seeker(page, server, options.steps)
            seeker.open()
            print_memory("before scrubbing", server, session, page)
            times = [seeker.fill(step) for step in frames]
            print(f"Random step to paint: {summary(times, 'steps')}")
            print_memory("after scrubbing", server, session, page)


if __name__ == "__main__":
    main()
