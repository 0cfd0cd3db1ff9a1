"""A trainer on a cluster, and one beside the server: how soon requests take effect, and the pace.

    python -m benchmarks.cluster [--rounds 15] [--keep]

A Ray cluster of one node, with two CPUs, runs on this machine; so do the server that uses it, and
one that trains itself. Each trains the same run. In turn, one of the two is resumed, paused,
advanced by a step and given another learning rate, while the other is paused. Printed are the times
until the response, which comes when the effect is recorded, and the shares of a core that the
server's driver and the actor take to hand over what the trainer records. To hold: on the cluster at
most 100 ms more.
"""

import argparse
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks import _interleaved as interleaved
from benchmarks._machine import machine
from benchmarks._processes import processes
from benchmarks._spread import percentile_95
from tests.live_server import Server, serve
from tests.ray_cluster import ray_cluster

RESULT = Path(__file__).with_name("results") / "cluster.json"
OPTIONS = ("--no-page", "--no-demonstration", "--no-standby")
CONFIG = {"epochs": 1000, "batch_size": 16, "probes": {"count": 12}}
SECONDS = 1.0
"""Time for which the run trains in each round."""
REQUESTS = ("resume", "pause", "step", "rate")


def request(server: Server, run_id: str, name: str) -> float:
    """Send a request; return the milliseconds until its effect is recorded."""
    content = {"learning_rate": 0.001} if name == "rate" else {"action": name}
    start = time.perf_counter()
    server.post_control(run_id, **content).raise_for_status()
    return 1000 * (time.perf_counter() - start)


def sending_rows(server: Server) -> dict[str, int]:
    """Return the ids of the processes between trainer and server: driver and actor."""
    assert server.process is not None
    found = {}
    for process in processes():
        if process.parent == server.process.pid and "cluster.driver_main" in process.command:
            found["driver"] = process.pid
        elif process.command.startswith("ray::RemoteTrainer"):
            found["actor"] = process.pid
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--keep", action="store_true", help=f"write {RESULT}")
    options = parser.parse_args()
    started, on = time.strftime("%Y-%m-%d %H:%M:%S"), machine()
    shares: dict[str, list[float]] = defaultdict(list)
    times: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        cluster = stack.enter_context(ray_cluster(head_cpus=2))
        homes = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {
            "here": stack.enter_context(serve(homes / "here", *OPTIONS)),
            "cluster": stack.enter_context(
                serve(homes / "cluster", *OPTIONS, "--cluster", cluster.address)
            ),
        }
        runs = {}
        for location, server in servers.items():
            runs[location] = server.start_run(**CONFIG)
            server.wait_for_step(runs[location], 20)
            server.control(runs[location], "pause")

        pids = sending_rows(servers["cluster"])

        def once(location: str) -> float:
            server, run_id = servers[location], runs[location]
            times[location]["resume"].append(request(server, run_id, "resume"))
            spent = {name: cpu_seconds(pid) for name, pid in pids.items()}
            before, start = server.get_run(run_id)["step"], time.perf_counter()
            time.sleep(SECONDS)
            after, end = server.get_run(run_id)["step"], time.perf_counter()
            if location == "cluster":
                for name, pid in pids.items():
                    shares[name].append((cpu_seconds(pid) - spent[name]) / (end - start))
            for name in REQUESTS[1:]:
                times[location][name].append(request(server, run_id, name))
            return float((after - before) / (end - start))

        ways: dict[str, Callable[[], float]] = {
            location: lambda location=location: once(location)  # type: ignore[misc]
            for location in servers
        }
        pace = interleaved.measure(ways, options.rounds)
    rows = {
        name: {
            location: {
                "p50": round(statistics.median(times[location][name]), 1),
                "p95": round(percentile_95(times[location][name]), 1),
            }
            for location in times
        }
        for name in REQUESTS
    }
    ratios = [there / here for there, here in zip(pace["cluster"], pace["here"], strict=True)]
    print("request      here p50   p95 ms    cluster p50   p95 ms    more p50")
    for name, row in rows.items():
        here, there = row["here"], row["cluster"]
        print(
            f"{name:10}{here['p50']:11.0f}{here['p95']:9.0f}{there['p50']:15.0f}"
            f"{there['p95']:9.0f}{there['p50'] - here['p50']:12.0f}"
        )
    print(f"Steps a second on the cluster, of those here: {statistics.median(ratios):.3f}")
    core = {name: round(statistics.mean(values), 3) for name, values in shares.items()}
    print(f"Shares of a core: {core['driver']:.3f} of the driver, {core['actor']:.3f} of the actor")
    print("To hold: at most 100 ms more.")
    if options.keep:
        result = {
            "command": shlex.join(["python", "-m", "benchmarks.cluster", *sys.argv[1:]]),
            "started": started,
            "machine": on,
            "milliseconds": rows,
            "core": core,
            "pace": round(statistics.median(ratios), 3),
        }
        RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
