"""Time of the list of runs, with many recordings in the home.

    python -m benchmarks.runs [--recordings 500] [--rounds 60]

What the page requests, its newest 50 and those that are live, and the whole list; by one client,
by ten at once, and with nothing changed since the client's last request. The requests alternate, so
that all meet the same load of the machine.
"""

import argparse
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copy

import httpx

from benchmarks._spread import summary
from tests.examples import EXAMPLE_PATH
from tests.live_server import Server, serve

CLIENTS = 10
REQUESTS = {
    "newest 50": {"limit": 50},
    "live": {"live": True, "limit": 50},
    "whole list": {},
}


def measure(client: httpx.Client, query: dict[str, int], etag: str | None = None) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    headers = {"If-None-Match": etag} if etag else {}
    response = client.get("/runs", params=query, headers=headers)
    assert response.status_code == (304 if etag else 200)
    return 1000 * (time.perf_counter() - started)


def measure_all(server: Server, rounds: int) -> None:
    """Measure each request alone, unchanged, and by several clients at once; print all."""
    http = server.http
    first = {name: http.get("/runs", params=query) for name, query in REQUESTS.items()}
    times: dict[tuple[str, str], list[float]] = {}
    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in range(rounds):
            for name, query in REQUESTS.items():
                etag = first[name].headers["etag"]
                times.setdefault((name, "one client"), []).append(measure(http, query))
                times.setdefault((name, "unchanged"), []).append(measure(http, query, etag))
                at_once = clients.map(measure, [http] * CLIENTS, [query] * CLIENTS)
                times.setdefault((name, f"{CLIENTS} at once"), []).extend(at_once)
    for name, response in first.items():
        sent = int(response.headers["content-length"])
        print(f"List of runs, {name}: {len(response.content) / 1000:.1f} kB, {sent} bytes sent")
    for (name, clients_name), measured in times.items():
        print(f"List of runs, {name}, {clients_name}: {summary(measured)} (goal: p95 below 100 ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recordings", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recordings = Path(folder) / "recordings"
        recordings.mkdir()
        for number in range(options.recordings):
            copy(EXAMPLE_PATH, recordings / f"20260101-000000-{number:06x}.stnscope")
        started = time.monotonic()
        with serve(
            Path(folder), "--no-page", "--no-demonstration", "--no-standby", "--home-limit", "99GB"
        ) as server:
            seconds = time.monotonic() - started
            print(f"{options.recordings} recordings: the server is ready after {seconds:.1f} s")
            print(f"First list of runs: {measure(server.http, {}):.0f} ms")
            measure_all(server, options.rounds)


if __name__ == "__main__":
    main()
