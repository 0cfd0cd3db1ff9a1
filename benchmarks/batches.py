"""Time to make a batch, as a share of the training step that uses it.

    python -m benchmarks.batches [--rounds 5]

For batches of 64 on one thread: digits translated among clutter (TC) at 60x60 before the paper's
networks, its other distortions, and the default networks of the built-in data sets. Each round
makes some batches and takes as many steps, alternately.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from stnscope.backend.experiment.config import DistortionConfig, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.training.loop import Batches, train
from stnscope.models.catalog import ARCHITECTURES

TOGETHER = 4
CASES = (
    ("digits", "paper-st-cnn-60", "TC"),
    ("digits", "paper-cnn-60", "TC"),
    ("digits", "lasagne", "TC"),
    ("digits", "paper-st-cnn", "RTS"),
    ("digits", "paper-st-cnn", "P"),
    ("digits", "paper-st-cnn", "E"),
    ("digits", "digits", "scattered"),
    ("signs", "signs", "RTS"),
    ("sequences", "recurrent", "slanted"),
)


def seconds(work: Callable[[], object]) -> float:
    """Return the mean duration of several calls."""
    start = time.perf_counter()
    for _ in range(TOGETHER):
        work()
    return (time.perf_counter() - start) / TOGETHER


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description="What making a batch costs.")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("Making a batch of 64, as a share of the training step that it feeds (goal: 15 %)")
    for dataset_name, network, distortion in CASES:
        config = RunConfig(
            dataset=dataset_name,
            architecture=network,
            distortion=DistortionConfig(name=distortion),
            epochs=100,
        )
        dataset = load(dataset_name)
        batches, steps = Batches(config, dataset), train(config, dataset)
        for _ in range(3):
            next(steps)
        shares = []
        for number in range(options.rounds):
            making = seconds(lambda: batches.batch(number + 1))  # noqa: B023
            whole = seconds(lambda: next(steps))  # noqa: B023
            shares.append(making / (whole - making))
        size = "{0.height}x{0.width}".format(ARCHITECTURES[network])
        print(
            f"{network} at {size}, {distortion}: {statistics.median(shares):.1%} "
            f"({min(shares):.1%} to {max(shares):.1%})",
            flush=True,
        )


if __name__ == "__main__":
    main()
