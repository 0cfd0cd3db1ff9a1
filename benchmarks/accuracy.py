"""Steps until the default run reaches an accuracy on held-out digits, for each seed.

    python -m benchmarks.accuracy [--seeds 10] [--target 0.95]

A seed reaches the target at the first of two consecutive validations that are not below it. `scale`
is the square root of the region's share of the image at the end, and `follows` the correlation
between the positions of regions and digits, both over the held-out images.
"""

import argparse
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise

import torch

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.distortions.placement import (
    PLACEMENT_DRAWS,
    compute_placement,
    scattered,
)
from stnscope.backend.experiment.training.loop import (
    VALIDATION_DRAWS,
    VALIDATION_SEED,
    Step,
    Validation,
    build_input_pipeline,
    make_generator,
    train,
)

MAX_STEPS = 1000
"""Steps in which nine seeds of ten should reach the target."""
COLUMNS = "seed  reached  accuracy  scale  follows  steps/s"


@dataclass(frozen=True)
class Result:
    """The result of one seed."""

    seed: int
    reached: int | None
    """The step, or None if never."""
    accuracy: float
    scale: float
    follows: float
    rate: float
    """Steps per second, validation included."""

    def __str__(self) -> str:
        reached = "never" if self.reached is None else str(self.reached)
        return (
            f"{self.seed:4}  {reached:>7}  {self.accuracy:8.4f}  {self.scale:5.2f}"
            f"  {self.follows:7.2f}  {self.rate:7.1f}"
        )


def measure(config: RunConfig, dataset: Dataset, target: float) -> Result:
    """Train one seed to the end."""
    validations: list[tuple[int, float]] = []
    start = time.perf_counter()
    for step in train(config, dataset):
        if step.validated_step == step.step and step.accuracy is not None:
            validations.append((step.step, step.accuracy))
    rate = step.step / (time.perf_counter() - start)
    scale, follows = region_statistics(step, config, dataset)
    return Result(
        config.seed, first_of_two(validations, target), validations[-1][1], scale, follows, rate
    )


def first_of_two(validations: list[tuple[int, float]], target: float) -> int | None:
    """Return the first step of two consecutive ones that are not below the target."""
    for (step, accuracy), (_, next_accuracy) in pairwise(validations):
        if min(accuracy, next_accuracy) >= target:
            return step
    return None


def region_statistics(step: Step, config: RunConfig, dataset: Dataset) -> tuple[float, float]:
    """Return the regions' mean scale, and the correlation of their centres with the digits'."""
    held_out = dataset.held_out
    images = held_out.pixels.repeat(VALIDATION_DRAWS, 1, 1, 1)
    canvas = build_input_pipeline(config, dataset.entry, held_out).canvas
    draws = scattered.draw(len(images), make_generator(VALIDATION_SEED, "validation", 0))
    strength = config.distortion.strength
    centres = compute_placement(draws[:PLACEMENT_DRAWS], images.shape, strength, canvas).centre
    with torch.inference_mode():
        prediction = step.model.eval()(Validation.build(config, dataset).images)
    matrix = prediction.warps[0].theta.view(-1, 2, 3)
    correlations = [
        torch.corrcoef(torch.stack([matrix[:, i, 2], centres[:, i]]))[0, 1] for i in (0, 1)
    ]
    scale = torch.linalg.det(matrix[:, :, :2]).abs().sqrt().mean().item()
    return scale, torch.stack(correlations).mean().item()


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description="Accuracy of the default run, seed by seed.")
    parser.add_argument("--seeds", type=int, default=10, help="0 to this, less one (%(default)s)")
    parser.add_argument("--target", type=float, default=0.95, help="(%(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(RunConfig().threads)
    dataset = load(RunConfig().dataset)
    print(COLUMNS, flush=True)
    results = []
    for seed in range(options.seeds):
        results.append(measure(RunConfig(seed=seed), dataset, options.target))
        print(results[-1], flush=True)
    steps = [result.reached for result in results if result.reached is not None]
    within = sum(step <= MAX_STEPS for step in steps)
    print(
        f"{within} of {len(results)} seeds reached {options.target:.2f} within {MAX_STEPS} steps; "
        f"median step {statistics.median(steps) if steps else 'none'}, median "
        f"{statistics.median(result.rate for result in results):.1f} steps/s."
    )


if __name__ == "__main__":
    main()
