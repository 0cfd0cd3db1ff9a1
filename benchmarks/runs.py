"""Time of the list of runs, with many recordings in the home.

    python -m benchmarks.runs [--recordings 500] [--requests 60]

One client after another, and ten at once; and with nothing changed since the client's last request.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy

from benchmarks._spread import summary
from stnscope.backend.server.runs import SAMPLE_PATH
from tests.live_server import Server, serve

CLIENTS = 10


def measure(server: Server, etag: str | None = None) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    response = server.http.get("/runs", headers={"If-None-Match": etag} if etag else {})
    assert response.status_code == (304 if etag else 200)
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--requests", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recordings = Path(folder) / "recordings"
        recordings.mkdir()
        for number in range(options.recordings):
            copy(SAMPLE_PATH, recordings / f"20260101-000000-{number:06x}.stnscope")
        with serve(
            Path(folder), "--no-page", "--no-demonstration", "--no-standby", "--home-limit", "99GB"
        ) as server:
            print(f"{options.recordings} recordings, first request: {measure(server):.0f} ms")
            times = [measure(server) for _ in range(options.requests)]
            print(f"one client: {summary(times)}")
            with ThreadPoolExecutor(CLIENTS) as clients:
                times = list(clients.map(measure, [server] * options.requests))
            print(f"{CLIENTS} clients at once: {summary(times)}")
            response = server.http.get("/runs")
            print(f"{len(response.content) / 1000:.0f} kB")
            etag = response.headers.get("etag")
            if etag:
                times = [measure(server, etag) for _ in range(options.requests)]
                print(f"unchanged: {summary(times)}")


if __name__ == "__main__":
    main()
