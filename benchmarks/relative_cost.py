"""Time of a training step of each network, relative to the compact one: `relative_cost`.

    python -m benchmarks.relative_cost [--rounds 3]

Each round measures every network once, for an image of a batch of 32 on one thread, and the compact
one before each, so that a slower machine affects both.
"""

import argparse
import statistics
import time

import torch
from torch.nn import functional

from stnscope.models.architectures import build
from stnscope.models.catalog import ARCHITECTURES, Architecture

BATCH = 32
STEPS = 3
COMPACT = "digits"


class TrainingSteps:
    """Training steps of one network on noise."""

    def __init__(self, entry: Architecture) -> None:
        self._model = build(entry.name)
        self._optimiser = torch.optim.AdamW(self._model.parameters(), lr=1e-6, foreach=True)
        self._images = torch.rand(BATCH, entry.channels, entry.height, entry.width)
        self._labels = torch.zeros(BATCH * entry.labels, dtype=torch.long)
        self.step_seconds(1)

    def step_seconds(self, steps: int = STEPS) -> float:
        """Return the mean duration of a step."""
        start = time.perf_counter()
        for _ in range(steps):
            logits = self._model(self._images).logits.flatten(0, -2)
            self._optimiser.zero_grad(set_to_none=True)
            functional.cross_entropy(logits, self._labels).backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
        return (time.perf_counter() - start) / steps


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description="Time of a training step of each network.")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    compact = TrainingSteps(ARCHITECTURES[COMPACT])
    print("Time of a training step for each image, relative to the compact network")
    print(f"{'':20} {'measured':>9} {'catalog':>9}")
    for entry in ARCHITECTURES.values():
        steps = TrainingSteps(entry)
        ratios = []
        for _ in range(options.rounds):
            reference = compact.step_seconds(4 * STEPS)
            ratios.append(steps.step_seconds() / reference)
        print(
            f"{entry.name:20} {statistics.median(ratios):9.2f} {entry.relative_cost:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
