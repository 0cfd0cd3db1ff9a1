"""The demonstration, seed by seed: accuracy, stillness, and the rotation of its regions.

    python -m benchmarks.accuracy [--seeds 10]

Each seed is trained and recorded as by a server, and measured from its recording. `accuracy` is on
held-out digits at the last step, `stillness` that of the closing lap. `turn` is the correlation,
over that lap, between a probe's own rotation and its region's, the mean over the probes; `lowest`
is the lowest of them. `scale` is the square root of the region's share of the image. `seconds` is
the duration from the call to the last frame, `CPU` the CPU time.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.distortions.placement import PLACEMENT_DRAWS, compute_placement
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.frames.region_geometry import Parallelograms, signed_areas
from stnscope.backend.experiment.inputs.pipeline import build_input_pipeline
from stnscope.backend.experiment.inputs.probes import SEED as PROBE_SEED
from stnscope.backend.experiment.inputs.random_generators import make_generator
from stnscope.backend.experiment.probes.observe import LAP
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.server.runs import Runs

MIN_ACCURACY, MAX_STILLNESS, MIN_TURN = 0.97, 0.35, 0.8
"""What nine seeds of ten should reach, within a minute on two cores."""
COLUMNS = "seed  accuracy  stillness  turn  lowest  scale  seconds   CPU  reached"


@dataclass(frozen=True)
class Result:
    """The result of one seed."""

    seed: int
    accuracy: float
    stillness: float
    turns: Array
    """The correlation of each probe."""
    scale: float
    seconds: float
    processor_seconds: float

    @property
    def is_reached(self) -> bool:
        """Whether all three bounds are reached."""
        return bool(
            self.accuracy >= MIN_ACCURACY
            and self.stillness <= MAX_STILLNESS
            and self.turns.mean() >= MIN_TURN
        )

    def __str__(self) -> str:
        return (
            f"{self.seed:4}  {self.accuracy:8.4f}  {self.stillness:9.3f}  {self.turns.mean():4.2f}"
            f"  {self.turns.min():6.2f}  {self.scale:5.2f}  {self.seconds:7.1f}"
            f"  {self.processor_seconds:4.0f}  {'yes' if self.is_reached else 'no':>7}"
        )


def measure(seed: int, dataset: Dataset, folder: Path) -> Result:
    """Train and record the demonstration's configuration with a seed."""
    runs = Runs(folder)
    path = runs.path(runs.create(RunConfig(seed=seed)))
    start, processor_start = time.perf_counter(), time.process_time()
    record(path, NoControls())
    seconds = time.perf_counter() - start
    processor_seconds = time.process_time() - processor_start
    with Recording.open(path) as recording:
        run, config = recording.summary(), recording.config()
        lap = [recording.frame(run["last_step"], lap=number) for number in range(LAP)]
    return Result(
        seed,
        run["accuracy"],
        run["stillness"],
        correlations(region_rotations(lap), probe_rotations(config, dataset)),
        float(np.sqrt([share(frame) for frame in lap]).mean()),
        seconds,
        processor_seconds,
    )


def share(frame: Frame) -> float:
    """Return the regions' mean share of the image."""
    height, width = frame.tensors["input"].shape[1:3]
    areas = signed_areas(frame.tensors[f"grid.{frame.transformers[0]}"])
    return float(np.abs(areas).mean() / (height * width))


def region_rotations(lap: list[Frame]) -> Array:
    """Return the rotations of the regions in each frame, (LAP, N)."""
    grids = (frame.tensors[f"grid.{frame.transformers[0]}"] for frame in lap)
    return np.stack([Parallelograms.fit(grid).rotations() for grid in grids])


def probe_rotations(config: RunConfig, dataset: Dataset) -> Array:
    """Return the probes' own rotations in each frame of the closing lap, (LAP, N)."""
    pipeline = build_input_pipeline(config, dataset.entry, dataset.held_out)
    generators = [make_generator(PROBE_SEED, "probe", i) for i in range(config.probes.count)]
    draws = torch.cat([pipeline.draw(1, generator) for generator in generators], dim=1)
    shape, strength = dataset.held_out.pixels[: config.probes.count].shape, pipeline.strength
    moved = (pipeline.at_phase(draws, number / LAP)[:PLACEMENT_DRAWS] for number in range(LAP))
    return np.stack(
        [compute_placement(m, shape, strength, pipeline.canvas).rotation.numpy() for m in moved]
    )


def correlations(first: Array, second: Array) -> Array:
    """Return the correlation of each column of two arrays (T, N), (N,)."""
    return np.array(
        [np.corrcoef(one, other)[0, 1] for one, other in zip(first.T, second.T, strict=True)]
    )


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description="The demonstration, seed by seed.")
    parser.add_argument("--seeds", type=int, default=10, help="0 to this, less one (%(default)s)")
    options = parser.parse_args()
    dataset = load(RunConfig().dataset)
    print(COLUMNS, flush=True)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            results.append(measure(seed, dataset, Path(folder)))
            print(results[-1], flush=True)
    print(
        f"{sum(result.is_reached for result in results)} of {len(results)} seeds reached accuracy "
        f"{MIN_ACCURACY}, stillness {MAX_STILLNESS} and a turn of {MIN_TURN}; median "
        f"{statistics.median(result.seconds for result in results):.0f} s."
    )


if __name__ == "__main__":
    main()
