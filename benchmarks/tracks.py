"""Real signs that move through trained networks: stillness and accuracy.

    python -m benchmarks.tracks --data FOLDER [--weights NAME ...] [--probes 40]

The probes are held-out photos of GTSRB, each of another track. They move along their tracks as
they were taken, and, placed in a larger scene, along the path of that distortion. Stillness is the
mean over the probes and over all windows of a lap: 0 stands still, 1 moves as the input does.
"""

import argparse
import statistics
from pathlib import Path

from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.frames.stillness import Stillness
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import LAP, observe
from stnscope.models.cards import cards
from stnscope.models.catalog import ARCHITECTURES
from stnscope.models.weights import load as load_weights

DATASET = "gtsrb"
MOTIONS: tuple[tuple[str, bool | str], ...] = (("centred", "tracks"), ("scene", True))
"""Distortions, and what moves the probes."""


def measure(
    weights: str, distortion: str, moving: bool | str, dataset: Dataset, count: int
) -> tuple[float, float]:
    """Return the accuracy and the stillness of `count` probes over a lap."""
    card = cards()[weights]
    probes_config = ProbesConfig.model_validate({"count": count, "moving": moving})
    config = RunConfig(
        architecture=card.architecture,
        family=card.family,
        dataset=DATASET,
        distortion=DistortionConfig(name=distortion),
        probes=probes_config,
    )
    probes, model, stillness = Probes.choose(dataset, config), load_weights(weights), Stillness()
    values, correct = [], 0
    for number in range(LAP):
        frame = observe(model, probes.at_phase(number / LAP), {"moving": True})
        pairs = zip(frame.info["labels"], frame.info["predicted"], strict=True)
        correct += sum(label == predicted for label, predicted in pairs)
        value = stillness.add(frame)
        values += [] if value is None else [value]
    return correct / (LAP * count), statistics.fmean(values)


def main() -> None:
    """Measure, and print the results."""
    suitable = [
        card.name
        for card in cards().values()
        if card.dataset == DATASET and ARCHITECTURES[card.architecture].transformers
    ]
    parser = argparse.ArgumentParser(description="Stillness along tracks of GTSRB.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--weights", nargs="+", default=suitable, choices=suitable)
    parser.add_argument("--probes", type=int, default=40, help="tracks (%(default)s)")
    options = parser.parse_args()
    dataset = load(DATASET, options.data)
    print("weights     distortion  moving      accuracy  stillness")
    for weights in options.weights:
        for distortion, moving in MOTIONS:
            accuracy, stillness = measure(weights, distortion, moving, dataset, options.probes)
            path = moving if isinstance(moving, str) else "distortion"
            print(f"{weights:11} {distortion:11} {path:11} {accuracy:8.4f}  {stillness:9.3f}")


if __name__ == "__main__":
    main()
