"""Made-up result files."""

from pathlib import Path
from typing import Any

from stnscope.backend.experiment.reproduction.results import (
    EvaluationResult,
    Machine,
    SeedResult,
    Training,
    add_evaluation,
    add_seed,
)
from stnscope.backend.experiment.reproduction.rows import ROWS

MACHINE = Machine(
    processor="A processor", cores=2, device="cpu", threads=1, torch="2.13.0", version="0.1.0"
)
LABELS = 10_000
STEPS_PER_EPOCH = 10


def write_seed(
    folder: Path, name: str, errors: int, seed: int = 0, epochs: int | None = None, **config: Any
) -> Path:
    """Write a training of a row into its file; return the file's path.

    Args:
        folder: of result files.
        name: of the row.
        errors: wrong labels of 10,000.
        seed: of the training.
        epochs: that were trained; all of them by default.
        config: what differs from the row's recipe.
    """
    row = ROWS[name]
    changed = row.config.model_copy(update={"seed": seed, **config})
    trained = changed.epochs if epochs is None else epochs
    run = SeedResult(
        config=changed,
        complete=trained == changed.epochs,
        epoch=trained,
        step=trained * STEPS_PER_EPOCH,
        steps=changed.epochs * STEPS_PER_EPOCH,
        seconds=1200.0,
        images_per_second=3000.0,
        labels=LABELS,
        errors=errors,
        error=errors / LABELS,
        error_trained=errors / LABELS,
        parameters=400_000,
        multiply_adds=1_500_000,
        evaluation_milliseconds=0.5,
        machine=MACHINE,
        command=f"stnscope reproduce {name} --seed {seed} --threads 1",
        date="2026-01-01",
    )
    return add_seed(folder, row, run)


def write_evaluation(folder: Path, weights: str, errors: int, **fields: Any) -> Path:
    """Write an evaluation of weights for signs; return the file's path."""
    values: dict[str, Any] = {
        "weights": weights,
        "digest": "0" * 64,
        "architecture": "vgg-2st",
        "family": "affine",
        "dataset": "gtsrb",
        "distortion": "centred",
        "images": LABELS,
        "kind": "images of held-out tracks",
        "note": "",
        "labels": LABELS,
        "errors": errors,
        "accuracy": (LABELS - errors) / LABELS,
        "parameters": 1_459_215,
        "multiply_adds": 127_475_160,
        "evaluation_milliseconds": 0.5,
        "training": Training(
            distortion="centred",
            seed=0,
            steps=10,
            seconds=None,
            machine=None,
            command=None,
            date=None,
        ),
        "machine": MACHINE,
        "command": f"stnscope evaluate --weights {weights} --dataset gtsrb --data DATA",
        "date": "2026-01-01",
    }
    return add_evaluation(folder, EvaluationResult.model_validate(values | fields))
