"""What storing weights with their channels last saves of a training step, by network.

    python -m benchmarks.channels_last [--rounds 5] [--networks digits signs]

Each round takes a step both ways, of a batch of 64 in float32 on one thread. What is compared is
the thread's CPU time, which other work on the machine changes little.
"""

import argparse
import statistics
import time

import torch

from benchmarks import _interleaved as interleaved
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.training.loop import build_untrained, optimise
from stnscope.backend.experiment.training.optimisers import build_optimiser
from stnscope.models.catalog import ARCHITECTURES

BATCH = 64


class TrainingSteps:
    """Training steps of one network on noise."""

    def __init__(self, architecture: str, *, channels_last: bool) -> None:
        entry = ARCHITECTURES[architecture]
        self._config = RunConfig(architecture=architecture, channels_last=channels_last)
        self._model = build_untrained(self._config, entry.classes)
        self._optimiser = build_optimiser(self._config, self._model)
        self._images = torch.rand(BATCH, entry.channels, entry.height, entry.width)
        self._labels = torch.zeros(BATCH * entry.labels, dtype=torch.long)
        self.step_seconds()  # loads what is used first

    def step_seconds(self) -> float:
        """Return the CPU time of a step."""
        start = time.thread_time()
        optimise(self._model, self._optimiser, self._images, self._labels, self._config)
        return time.thread_time() - start


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(
        description="The time of a training step that channels last saves."
    )
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--networks", nargs="+", default=list(ARCHITECTURES), help="(all)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("Processor time of a step with channels last, relative to without")
    for name in options.networks:
        ways = {
            "without": TrainingSteps(name, channels_last=False).step_seconds,
            "with": TrainingSteps(name, channels_last=True).step_seconds,
        }
        seconds = interleaved.measure(ways, options.rounds)
        ratio = statistics.median(seconds["with"]) / statistics.median(seconds["without"])
        print(f"{name:20} {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
