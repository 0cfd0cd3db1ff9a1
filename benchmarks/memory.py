"""Growth of the memory of server, trainer and page while a run trains and is viewed.

    python -m benchmarks.memory [--warm-up 10] [--minutes 50] [--every 5]

For processes it is the resident set; for the page, with every layer drawn, its heap and its buffers
after a forced collection. It prints the slopes of a least squares fit, with twice their standard
error. In its first minutes a page fills its cache of frames: with a short warm-up that counts as
growth.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import CDPSession

from benchmarks._page import Inspector, open_page
from benchmarks._processes import processes, trainers
from benchmarks.stage import EVERYTHING
from tests.live_server import Server, serve

COUNTERS = ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
"""Counters of a page's memory: objects, their browser-side parts, and array buffers."""
MIN_SAMPLES = 3
"""Samples; with fewer, the standard error of a slope means nothing."""


def sample(server: Server, trainer: int, session: CDPSession | Inspector) -> dict[str, float]:
    """Return the current size of each in megabytes."""
    assert server.process is not None
    return {
        "server": resident_megabytes(server.process.pid),
        "trainer": resident_megabytes(trainer),
        "page": page_megabytes(session),
    }


def resident_megabytes(pid: int) -> float:
    """Return the resident set of a process."""
    (kilobytes,) = (process.kilobytes for process in processes() if process.pid == pid)
    return kilobytes * 1024 / 1e6


def page_megabytes(session: CDPSession | Inspector) -> float:
    """Return a page's heap and buffers after a forced collection."""
    session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return float(sum(usage.get(name, 0) for name in COUNTERS)) / 1e6


def slope(hours: list[float], megabytes: list[float]) -> tuple[float, float]:
    """Return megabytes an hour by least squares, and the standard error."""
    x, y = np.array(hours) - np.mean(hours), np.array(megabytes) - np.mean(megabytes)
    spread = float(x @ x)
    rate = float(x @ y) / spread
    rest = y - rate * x
    return rate, math.sqrt(float(rest @ rest) / (len(x) - 2) / spread)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes (%(default)s)")
    parser.add_argument("--minutes", type=float, default=50.0, help="(%(default)s)")
    parser.add_argument("--every", type=float, default=5.0, help="seconds (%(default)s)")
    options = parser.parse_args()
    hours: list[float] = []
    samples: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory() as home,
        open_page() as page,
        serve(Path(home), "--no-demonstration") as server,
    ):
        run_id = server.start_run(epochs=1000)
        trainer = trainers(server)[0].pid
        page.goto(f"http://127.0.0.1:{server.port}/?run={run_id}&{EVERYTHING}")
        page.wait_for_function("window.paints.some(paint => paint.mode === 'follow')")
        # The recorded paints would be all that grows.
        page.evaluate("window.paints.push = () => 0")
        session = page.context.new_cdp_session(page)
        page.wait_for_timeout(60_000 * options.warm_up)
        begin = time.monotonic()
        while len(hours) < MIN_SAMPLES or hours[-1] < options.minutes / 60:
            samples.append(sample(server, trainer, session))
            hours.append((time.monotonic() - begin) / 3600)
            page.wait_for_timeout(1000 * options.every)
    for name in samples[0]:
        megabytes = [sample[name] for sample in samples]
        rate, error = slope(hours, megabytes)
        print(
            f"Memory of the {name}: {rate:+.1f} MB/h, give or take {2 * error:.1f}, over "
            f"{options.minutes:g} min after {options.warm_up:g}; {megabytes[-1]:.0f} MB at the end "
            "(goal: below 5 MB/h)"
        )


if __name__ == "__main__":
    main()
