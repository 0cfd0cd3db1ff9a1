"""Digits that move through the trained networks that ship: stillness, rotation and scale.

    python -m benchmarks.moving_digits --data FOLDER [--weights NAME ...] [--probes 40]

The probes are held-out digits, which move along the path of the distortion that the weights were
trained on, as in a closing lap. `stillness` is the mean over the probes and over all windows of the
lap: 0 stands still, 1 moves as the input does. `turn` is the correlation, over the lap, between a
probe's own rotation and its region's, and `turned` the number of probes of which it is at least
0.8; `-` if they do not rotate. `side` is the square root of a region's share of the image.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np

from benchmarks.accuracy import MIN_TURN, correlations, probe_rotations, region_rotations, share
from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig, RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.frames.stillness import Stillness
from stnscope.backend.experiment.inputs.probes import Probes
from stnscope.backend.experiment.probes.observe import LAP, observe
from stnscope.models.cards import Card, cards
from stnscope.models.catalog import ARCHITECTURES
from stnscope.models.weights import load as load_weights

COLUMNS = f"{'weights':22}  stillness   turn  turned  side"


def measure(card: Card, dataset: Dataset, count: int) -> str:
    """Return the row of trained weights, with `count` probes over a lap."""
    config = RunConfig(
        architecture=card.architecture,
        family=card.family,
        dataset=card.dataset,
        distortion=DistortionConfig(name=card.distortion),
        probes=ProbesConfig(count=count, moving=True),
    )
    probes, model, stillness = Probes.choose(dataset, config), load_weights(card.name), Stillness()
    lap = [observe(model, probes.at_phase(number / LAP), {"moving": True}) for number in range(LAP)]
    values = [value for frame in lap if (value := stillness.add(frame)) is not None]
    turn, turned = f"{'-':>5}", f"{'-':>6}"
    if card.distortion == "RTS":
        turns = correlations(region_rotations(lap), probe_rotations(config, dataset))
        turn, turned = f"{turns.mean():5.2f}", f"{(turns >= MIN_TURN).sum():6}"
    side = float(np.sqrt([share(frame) for frame in lap]).mean())
    return f"{card.name:22}  {statistics.fmean(values):9.3f}  {turn}  {turned}  {side:4.2f}"


def main() -> None:
    """Measure, and print the results."""
    suitable = [
        card.name
        for card in cards().values()
        if card.subject == "digit" and ARCHITECTURES[card.architecture].transformers
    ]
    parser = argparse.ArgumentParser(description="Digits that move through trained networks.")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument("--weights", nargs="+", default=suitable, choices=suitable)
    parser.add_argument("--probes", type=int, default=40, help="(%(default)s)")
    options = parser.parse_args()
    chosen = [cards()[name] for name in options.weights]
    datasets = {name: load(name, options.data) for name in {card.dataset for card in chosen}}
    print(COLUMNS)
    for card in chosen:
        print(measure(card, datasets[card.dataset], options.probes), flush=True)


if __name__ == "__main__":
    main()
