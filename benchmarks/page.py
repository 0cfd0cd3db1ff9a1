"""Latencies of the page in a real browser, while training runs on the same cores.

    python -m benchmarks.page [--seconds 30] [--starts 5]

Prints the time from the server's start to the first painted frame in an empty home, the time from
an optimiser step to the painted canvas, frames painted a second beside steps made, and bytes a
frame on the wire.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, WebSocket

from benchmarks._page import open_page
from benchmarks._spread import summary
from tests.live_server import Server, free_port, serve


def _start(page: Page) -> float:
    """Return seconds from the start of a server with an empty home to the first painted frame."""
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        began = time.time()
        with serve(Path(home), port=port):
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_function("window.paints.length > 0")
            first: float = page.evaluate("window.paints[0].painted")
            page.goto("about:blank")
    return first - began


@dataclass
class Observed:
    """What a page painted of a run during some seconds."""

    delays: list[float]
    """Milliseconds from an optimiser step to the painted canvas, for each frame."""
    painted: float
    """Frames a second."""
    steps: float
    """Steps a second."""
    sizes: list[int]
    """Bytes of the frames without an input."""


def _observe(page: Page, server: Server, seconds: float) -> Observed:
    """Open a run that trains, and record its paints."""
    sizes: list[int] = []
    page.on("websocket", lambda socket: _record_sizes(socket, sizes))
    run_id = server.start_run(epochs=1000)
    page.goto(f"http://127.0.0.1:{server.port}/?run={run_id}")
    page.wait_for_function("window.paints.some(paint => paint.mode === 'follow')")
    page.wait_for_timeout(5_000)
    page.evaluate("window.paints.length = 0")
    sizes.clear()
    first = server.get_run(run_id)["step"]
    page.wait_for_timeout(1000 * seconds)
    steps = server.get_run(run_id)["step"] - first
    paints: list[dict[str, Any]] = page.evaluate("window.paints")
    server.control(run_id, "stop")
    delays = [1000 * (paint["painted"] - paint["time"]) for paint in paints]
    return Observed(delays, len(paints) / seconds, steps / seconds, sizes)


def _record_sizes(socket: WebSocket, sizes: list[int]) -> None:
    def record(data: str | bytes) -> None:
        if isinstance(data, bytes):
            sizes.append(len(data))

    if "/stream" in socket.url and "/api/" in socket.url:
        socket.on("framereceived", record)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--starts", type=int, default=5)
    options = parser.parse_args()
    with open_page() as page:
        starts = [_start(page) for _ in range(options.starts)]
        print(
            f"Server start to first painted frame: median {statistics.median(starts):.1f} s of "
            f"{', '.join(f'{start:.1f}' for start in starts)} (goal: below 10 s)"
        )
        with (
            tempfile.TemporaryDirectory() as home,
            serve(Path(home), "--no-demonstration") as server,
        ):
            observed = _observe(page, server, options.seconds)
    print(f"Step to painted canvas: {summary(observed.delays, 'frames')} (goal: p95 below 100 ms)")
    print(
        f"Painted: {observed.painted:.1f} frames/s while training made "
        f"{observed.steps:.1f} steps/s (goal: min(20, steps/s))"
    )
    print(
        f"A frame on the wire with an unchanged input: median "
        f"{statistics.median(observed.sizes) / 1000:.1f} kB (goal: at most 20 kB)"
    )


if __name__ == "__main__":
    main()
