"""Train the weights that ship, and write them with their card into `models/weights/`.

    python -m tools.train_weights digits [--seed 0] [--epochs 10]
    python -m tools.train_weights signs --data FOLDER
    python -m tools.train_weights mnist-rts-affine --data FOLDER
    python -m tools.train_weights gtsrb-2st --data FOLDER --checkpoints FOLDER [--minutes 100]

With `--checkpoints` the same command resumes a training that was interrupted; with the folder of
a finished `stnscope reproduce` it only writes the weights. `digits` is the demonstration's
configuration, with more epochs; other names are rows of published tables.
"""

import argparse
import datetime
import os
import platform
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DatasetEntry,
    with_defaults,
)
from stnscope.backend.experiment.config import DistortionConfig, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import DATASETS, SOURCES
from stnscope.backend.experiment.reproduction.paper_tables import ROWS
from stnscope.backend.experiment.reproduction.segment import TrainingProgress, train_segment
from stnscope.backend.experiment.training.loop import (
    MAX_VALIDATION_IMAGES,
    VALIDATION_DRAWS,
    Step,
)
from stnscope.models.cards import FOLDER, Card
from stnscope.models.catalog import FAMILIES
from stnscope.models.weights import save


@dataclass(frozen=True)
class Recipe:
    """How weights are trained, and what they are for."""

    config: RunConfig
    subject: str
    variant: str = ""
    """What distinguishes them from others of the same network and data, for their title."""


DIGITS = with_defaults(RunConfig(epochs=10), DATASETS["digits"])
SIGNS = RunConfig(
    architecture="signs",
    dataset="gtsrb",
    distortion=DistortionConfig(name="scene"),
    consistency=4.0,
    localisation_learning_rate=3e-3,
    epochs=24,
)
DIGITS_CNN = {"architecture": "digits-cnn"}
CENTRED = {"distortion": DistortionConfig(name="centred")}
MNIST_FAMILIES = {"affine": "affine", "projective": "projective", "tps": "spline-4"}
"""Family by the suffix of the weights' names."""


def _mnist_recipes(distortion: str) -> Iterator[tuple[str, Recipe]]:
    """Yield a recipe for each family, and one without a transformer on the same batches."""
    stem = f"mnist-{distortion.lower()}"
    config = RunConfig(
        architecture="digits",
        dataset="mnist",
        distortion=DistortionConfig(name=distortion),
        consistency=0.5,
        epochs=12,
        batch_size=128,
        label_smoothing=0.05,
        ema_decay=0.999,
        precision="bfloat16",
    )
    for name, family in MNIST_FAMILIES.items():
        changed = config.model_copy(update={"family": family})
        title = FAMILIES[family].title.lower()
        yield f"{stem}-{name}", Recipe(changed, "digit", f"{distortion}, {title}")
    yield f"{stem}-compact-cnn", Recipe(config.model_copy(update=DIGITS_CNN), "digit", distortion)


RECIPES = {
    "digits": Recipe(DIGITS, "digit"),
    "signs": Recipe(SIGNS, "traffic sign"),
    # Without a transformer, on the same batches: `consistency` stays, since it composes them.
    "digits-cnn": Recipe(DIGITS.model_copy(update=DIGITS_CNN), "digit"),
    "signs-cnn": Recipe(SIGNS.model_copy(update={"architecture": "signs-cnn"}), "traffic sign"),
    # On digits in the centre, to see what a network tolerates that has seen no variation.
    "digits-centred": Recipe(DIGITS.model_copy(update=CENTRED), "digit"),
    "digits-cnn-centred": Recipe(DIGITS.model_copy(update=DIGITS_CNN | CENTRED), "digit"),
    **dict(_mnist_recipes("RTS")),
    **dict(_mnist_recipes("TC")),
    "gtsrb-2st": Recipe(ROWS["gtsrb-vgg-2st"].config, "traffic sign"),
    "gtsrb-cnn": Recipe(ROWS["gtsrb-vgg"].config, "traffic sign"),
} | {
    name: Recipe(row.config, "traffic sign" if row.table == "gtsrb" else "digit")
    for name, row in ROWS.items()
}


def print_epoch(progress: TrainingProgress) -> None:
    """Print how far the training is, at the end of an epoch."""
    if progress.is_epoch:
        print(
            f"epoch {progress.epoch}: {progress.seconds:.0f} s, loss {progress.loss:.3f}, "
            f"accuracy {progress.accuracy:.4f}",
            flush=True,
        )


def describe(name: str, config: RunConfig, dataset: DatasetEntry, step: Step) -> Card:
    """Return the card of the trained weights."""
    architecture = ARCHITECTURES[config.architecture]
    validated = min(dataset.held_out * VALIDATION_DRAWS, MAX_VALIDATION_IMAGES)
    data = " --data DATA" if dataset.name in SOURCES else ""
    variant = RECIPES[name].variant
    assert step.accuracy is not None, "the last step is always validated"
    return Card(
        name=name,
        title=f"{architecture.title} on {dataset.title}" + (f", {variant}" if variant else ""),
        description=f"{dataset.title}, {config.distortion.name}. Accuracy is on {validated:,} "
        f"fixed distortions of images that were never trained on, after {config.epochs} epochs. "
        "The recipe was chosen with these images in view, the seed and the step were not.",
        subject=RECIPES[name].subject,
        architecture=config.architecture,
        family=config.family,
        dataset=config.dataset,
        distortion=config.distortion.name,
        classes=dataset.classes,
        parameters=sum(parameter.numel() for parameter in step.model.parameters()),
        command=f"python -m tools.train_weights {name} --seed {config.seed} "
        f"--epochs {config.epochs}{data}",
        seed=config.seed,
        steps=step.step,
        accuracy=round(step.accuracy, 4),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=f"{os.cpu_count()} {platform.machine()} cores, of which {config.threads} used; "
        f"torch {torch.__version__}",
        split=dataset.description,
        licence=f"MIT, as stnscope; the images: {dataset.licence}",
    )


def main() -> None:
    """Train, save, and print the path."""
    parser = argparse.ArgumentParser(description="Train the weights that ship.")
    parser.add_argument("name", choices=RECIPES, help="which weights")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--epochs", type=int, help="as in the recipe unless given")
    parser.add_argument("--data", type=Path, help="folder that data sets are read from")
    parser.add_argument(
        "--checkpoints", type=Path, help="folder of the checkpoint; none is kept by default"
    )
    parser.add_argument("--minutes", type=float, help="end the segment after this time")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write them")
    options = parser.parse_args()
    recipe = RECIPES[options.name].config
    changed = {"seed": options.seed, "epochs": options.epochs or recipe.epochs}
    config = recipe.model_copy(update=changed)
    dataset = load(config.dataset, options.data)
    with tempfile.TemporaryDirectory() as temporary:
        checkpoints = options.checkpoints or Path(temporary)
        segment = train_segment(
            config, dataset, checkpoints, minutes=options.minutes, report=print_epoch
        )
    if not segment.is_complete:
        print("Not at the end yet; the same command resumes.")
        return
    card = describe(options.name, config, dataset.entry, segment.step)
    path = save(segment.step.model, card, options.folder)
    print(f"Wrote {path}, {path.stat().st_size:,} bytes, and its card.")


if __name__ == "__main__":
    main()
