"""Trains the weights that ship, and writes them with their card into `models/weights/`.

    python -m tools.train_weights [--seed 0] [--epochs 10]

The default run, only longer: what anyone sees it learn in three epochs it does better after ten.
"""

import argparse
import datetime
import os
import platform
from pathlib import Path

import torch

from backend.experiment.catalog import ARCHITECTURES, DATASETS, validate
from backend.experiment.config import RunConfig
from backend.experiment.datasets import load
from backend.experiment.training import VALIDATION_DRAWS, Step, train
from models.cards import FOLDER, Card
from models.weights import save


def trained(config: RunConfig) -> Step:
    """The last step of a run; prints each validation."""
    validate(config)
    torch.set_num_threads(config.threads)
    for step in train(config, load(config.dataset)):
        if step.validated_step == step.step:
            print(
                f"step {step.step}: loss {step.loss:.3f}, accuracy {step.accuracy:.4f}", flush=True
            )
    return step


def describe(config: RunConfig, step: Step) -> Card:
    """The card of what a run came to."""
    architecture, dataset = ARCHITECTURES[config.architecture], DATASETS[config.dataset]
    assert step.accuracy is not None, "the last step is always validated"
    return Card(
        name=config.architecture,
        title=f"{architecture.title} on {dataset.title.lower()}",
        description=f"{dataset.title}, {config.distortion.name}. Accuracy is on the "
        f"{dataset.held_out} that were never trained on, {VALIDATION_DRAWS} fixed distortions "
        f"each, after {config.epochs} epochs. The recipe was chosen with these images in view, "
        "the seed and the step were not.",
        architecture=config.architecture,
        family=config.family,
        dataset=config.dataset,
        distortion=config.distortion.name,
        classes=dataset.classes,
        parameters=sum(parameter.numel() for parameter in step.model.parameters()),
        command=f"python -m tools.train_weights --seed {config.seed} --epochs {config.epochs}",
        seed=config.seed,
        steps=step.step,
        accuracy=round(step.accuracy, 4),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        machine=f"{os.cpu_count()} {platform.machine()} cores, of which {config.threads} used; "
        f"torch {torch.__version__}",
    )


def main() -> None:
    """Trains, saves and says where."""
    parser = argparse.ArgumentParser(description="Train the weights that ship.")
    parser.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    parser.add_argument("--epochs", type=int, default=10, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write them")
    options = parser.parse_args()
    config = RunConfig(seed=options.seed, epochs=options.epochs)
    step = trained(config)
    path = save(step.model, describe(config, step), options.folder)
    print(f"Wrote {path}, {path.stat().st_size:,} bytes, and its card.")


if __name__ == "__main__":
    main()
