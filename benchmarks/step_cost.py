"""What recording costs a fast step: of a run, and of a loop that is watched; interleaved.

    python -m benchmarks.step_cost [--rounds 9] [--seconds 3]

A run takes steps of some 3 ms, once alone with the same probe passes and once recorded. A loop of a
network of its own takes as long steps, alone, with the same probe passes, and with the three lines
of `stnscope.watch`; if tensorboard is installed, also with what it would take to write the loss of
each step, and inputs and outputs as often, by `add_scalar` and `add_images`. Milliseconds a step,
medians and quartiles, on one thread.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

import stnscope
from benchmarks import _interleaved as interleaved
from benchmarks.overhead import BareLoop
from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.recording.writer import create
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.experiment.watching.network_observer import NetworkObserver
from stnscope.backend.experiment.watching.pass_budget import PassBudget
from stnscope.backend.experiment.watching.probe_images import choose_probes

# The fastest step of those that have a transformer: it is closest to that of a GPU.
CONFIG = RunConfig(architecture="paper-st-fcn", batch_size=2, epochs=1000, consistency=0.0)
SHARE = 0.03


class Timed:
    """Controls that stop a run after some seconds, and count its steps."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started: float | None = None
        self.steps = 0
        self.duration = 0.0

    def has_request(self, seconds: float = 0.0) -> bool:
        now = time.monotonic()
        if self._started is None:
            self._started = now  # after step 0, which loads what is used first
            return False
        self.steps += 1
        self.duration = now - self._started
        return self.duration >= self._seconds

    def next_request(self) -> Mapping[str, Any]:
        return {"action": "stop"}


def recorded(seconds: float) -> float:
    """Return the milliseconds of a step of a run that is recorded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.stnscope"
        per_epoch = steps_per_epoch(CONFIG, load(CONFIG.dataset).entry)
        create(path, config=CONFIG, steps_per_epoch=per_epoch)
        controls = Timed(seconds)
        record(path, controls)
    return 1000 * controls.duration / controls.steps


def unrecorded(seconds: float) -> float:
    """Return the same of a run that only observes its probes as often."""
    return 1000 / BareLoop(CONFIG, probing=True).rate(seconds)


class Net(nn.Module):
    """A network that a user has written."""

    def __init__(self) -> None:
        super().__init__()
        self.localisation = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
        self.regression = nn.Linear(64, 6)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU())
        self.scores = nn.Linear(512, 10)
        nn.init.zeros_(self.regression.weight)
        with torch.no_grad():
            self.regression.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))

    def forward(self, images: Tensor) -> Tensor:
        theta = self.regression(self.localisation(images)).view(-1, 2, 3)
        grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
        outputs = functional.grid_sample(images, grid, align_corners=False)
        scores: Tensor = self.scores(self.classifier(outputs))
        return scores


def losses(model: nn.Module) -> Iterator[Tensor]:
    """Train, and yield the loss after each step."""
    draw = torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    while True:
        images = torch.rand(64, 1, 28, 28, generator=draw)
        labels = torch.randint(10, (64,), generator=draw)
        loss = functional.cross_entropy(model(images), labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        yield loss


def alone(seconds: float) -> float:
    """Return the milliseconds of a step of a loop of one's own."""
    return _time_loop(Net(), seconds, lambda step, loss: None)


def observed(seconds: float) -> float:
    """Return the same with probe passes as often as `watch` has them, and no recording."""
    model = Net()
    probes = choose_probes(torch.rand(12, 1, 28, 28), device=torch.device("cpu"))
    observer, budget = NetworkObserver(model, probes), PassBudget(SHARE, None)

    def observe(step: int, loss: Tensor) -> None:
        now = time.monotonic()
        if budget.is_due(step, now):
            observer.observe_once()
            budget.add_pass(now, time.monotonic(), 0)

    return _time_loop(model, seconds, observe)


def with_tensorboard(seconds: float) -> float:
    """Return the same with the same probe passes, written for TensorBoard."""
    from torch.utils.tensorboard import SummaryWriter

    model = Net()
    probes = choose_probes(torch.rand(12, 1, 28, 28), device=torch.device("cpu"))
    observer, budget = NetworkObserver(model, probes), PassBudget(SHARE, None)
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:

        def write(step: int, loss: Tensor) -> None:
            writer.add_scalar("loss", loss.item(), step)
            now = time.monotonic()
            if budget.is_due(step, now):
                tensors = observer.observe_once().tensors
                budget.add_pass(now, time.monotonic(), 0)
                for name in ("input", next(n for n in tensors if n.startswith("output."))):
                    writer.add_images(name, tensors[name], step, dataformats="NHWC")

        return _time_loop(model, seconds, write)


def watched(seconds: float) -> float:
    """Return the same with the three lines."""
    model = Net()
    with tempfile.TemporaryDirectory() as home:
        run = stnscope.watch(model, torch.rand(12, 1, 28, 28), home=home)
        duration = _time_loop(model, seconds, lambda step, loss: run.step(loss=loss, accuracy=0.5))
        run.end()
    return duration


def _time_loop(model: nn.Module, seconds: float, after: Callable[[int, Tensor], None]) -> float:
    steps = losses(model)
    after(0, next(steps))
    start, count = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        count += 1
        after(count, next(steps))
    return 1000 * (time.monotonic() - start) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    ways = {
        "run, not recorded": unrecorded,
        "run, recorded": recorded,
        "loop alone": alone,
        "loop with probe passes": observed,
        "loop, watched": watched,
    }
    if find_spec("tensorboard"):
        ways["loop with TensorBoard"] = with_tensorboard
    times = interleaved.measure(
        {name: partial(way, options.seconds) for name, way in ways.items()}, options.rounds
    )
    print("Milliseconds a step")
    for name, values in times.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name:26}{middle:8.3f}  ({low:.3f} to {high:.3f})")
    medians = {name: statistics.median(values) for name, values in times.items()}
    recording = medians["run, recorded"] - medians["run, not recorded"]
    lines = medians["loop, watched"] / medians["loop with probe passes"] - 1
    print(f"Recording a run costs {recording:.3f} ms a step. To hold: 0.15 ms at 2 ms a step.")
    print(f"The three lines cost {lines:.1%} of the loop with probes. To hold: 3 %.")
    if "loop with TensorBoard" in medians:
        others = medians["loop with TensorBoard"] / medians["loop with probe passes"] - 1
        print(f"What TensorBoard writes of the same costs {others:.1%}.")


if __name__ == "__main__":
    main()
