"""Cost of viewers for training: steps per second of one run, interleaved, as ratios of medians.

    python -m benchmarks.overhead [--rounds 5] [--seconds 6]

Each round measures, one after the other and in a rotating order: a bare loop without probes, a
bare loop with the same probe passes, and a real run with recording under 0, 1 and 10 viewers and
under 10 of which one is stalled. All of them train on one thread at the same niceness.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from benchmarks import _interleaved as interleaved
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import observe_step
from stnscope.backend.experiment.runs.pace import FRAME_INTERVAL, Cadence
from stnscope.backend.experiment.training.loop import Step, train
from stnscope.backend.server.processes.child_main import NICENESS
from tests.live_server import Server, receive, send, serve, wait_until

CONFIG = RunConfig(epochs=1000)


class BareLoop:
    """Training alone, or training and the probe passes of a recorded run."""

    def __init__(self, config: RunConfig = CONFIG, *, probing: bool) -> None:
        dataset = load(config.dataset)
        self._config = config
        self._steps: Iterator[Step] = train(config, dataset)
        next(self._steps)  # step 0 does not train, and loads what is used first
        self._probes = Probes.choose(dataset, config) if probing else None

    def rate(self, seconds: float) -> float:
        """Return steps per second over about that many seconds."""
        start = time.monotonic()
        frames = Cadence(FRAME_INTERVAL)
        count = 0
        while (now := time.monotonic()) - start < seconds:
            step = next(self._steps)
            count += 1
            if self._probes is not None and frames.is_due(now):
                observe_step(step, self._probes, run="bare", config=self._config)
        return count / (now - start)


class RecordedRun:
    """A run on a real server; it is paused while something else is measured."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.id = server.start_run(**CONFIG.model_dump(mode="json"))
        server.wait_for_step(self.id, 20)
        server.control(self.id, "pause")

    def rate(self, seconds: float, *, viewers: int, stalled: int = 0) -> float:
        """Return steps per second over about that many seconds, by the times in the recording."""
        with ExitStack() as stack:
            for number in range(viewers):
                stack.enter_context(self._viewer(reading=number >= stalled))
            self.server.control(self.id, "resume")
            first = self.server.get_run(self.id)["step"]
            time.sleep(seconds)
            self.server.control(self.id, "pause")
        columns = self.server.http.get(
            f"/runs/{self.id}/metrics", params={"after": first + 1}
        ).json()
        duration = columns["time"][-1] - columns["time"][0]
        return (len(columns["time"]) - 1) / float(duration)

    @contextmanager
    def _viewer(self, *, reading: bool) -> Iterator[None]:
        with self.server.open_stream(self.id) as socket:
            send(socket, type="hello", last_step=10**6)
            send(socket, type="follow")
            done = threading.Event()

            def read() -> None:
                while not done.is_set():
                    if receive(socket, "frame") and not done.is_set():
                        send(socket, type="credit", frames=1)

            reader = threading.Thread(target=_until_closed, args=(read,), daemon=True)
            if reading:
                reader.start()
            yield
            done.set()


def _until_closed(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:  # the socket is closed under its reader when the measurement ends
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with (
        tempfile.TemporaryDirectory() as home,
        serve(Path(home), "--no-page", "--no-demonstration") as server,
    ):
        # Only now, so that the server's trainers, which do the same, have the same priority.
        os.nice(NICENESS)
        rates = _measure(server, options.rounds, options.seconds)
    _report(rates)


def _measure(server: Server, rounds: int, seconds: float) -> dict[str, list[float]]:
    bare, probing = BareLoop(probing=False), BareLoop(probing=True)
    run = RecordedRun(server)
    wait_until(lambda: server.get_run(run.id)["status"] == "paused")
    ways: dict[str, Callable[[], float]] = {
        "bare loop": lambda: bare.rate(seconds),
        "bare loop with probes": lambda: probing.rate(seconds),
        "recorded, no viewer": lambda: run.rate(seconds, viewers=0),
        "recorded, 1 viewer": lambda: run.rate(seconds, viewers=1),
        "recorded, 10 viewers": lambda: run.rate(seconds, viewers=10),
        "recorded, 10 viewers, one stalled": lambda: run.rate(seconds, viewers=10, stalled=1),
    }
    return interleaved.measure(ways, rounds)


def _report(rates: dict[str, list[float]]) -> None:
    print("\nSteps per second, one thread, batch 64 (median, quartiles) and ratios of medians")
    print(f"{'':36}{'steps/s':>9}{'quartiles':>15}{'/ probes':>10}{'/ bare':>8}")
    bare = statistics.median(rates["bare loop"])
    probing = statistics.median(rates["bare loop with probes"])
    for name, values in rates.items():
        median = statistics.median(values)
        low, _, high = statistics.quantiles(values, n=4)
        quartiles = f"{low:.1f}-{high:.1f}"
        print(f"{name:36}{median:9.1f}{quartiles:>15}{median / probing:10.3f}{median / bare:8.3f}")
    print("To hold: at least 0.97 of the loop with probes, and 0.90 of the bare loop.")


if __name__ == "__main__":
    main()
