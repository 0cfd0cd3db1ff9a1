"""Made-up result files."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from stnscope.backend.experiment.devices.machine import Machine
from stnscope.backend.experiment.reproduction.invariance_curve import (
    STRENGTHS,
    InvarianceCurve,
    InvariancePoint,
    Pictures,
    find_half_lost,
)
from stnscope.backend.experiment.reproduction.paper_tables import ROWS
from stnscope.backend.experiment.reproduction.results import (
    EvaluationResult,
    InvarianceResult,
    SeedResult,
    Training,
    add_evaluation,
    add_invariance,
    add_seed,
)

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
        "training": _training("centred"),
        "machine": MACHINE,
        "command": f"stnscope evaluate --weights {weights} --dataset gtsrb --data DATA",
        "date": "2026-01-01",
    }
    return add_evaluation(folder, EvaluationResult.model_validate(values | fields))


CELL = 8
"""Side of a picture of a made-up invariance, in pixels."""


def write_invariance(
    folder: Path,
    weights: str,
    architecture: str,
    errors: Mapping[str, Sequence[int]],
    **fields: Any,
) -> Path:
    """Write an evaluation of weights for digits under variations; return the file's path.

    Args:
        folder: of result files.
        weights, architecture: their names.
        errors: by distortion, those of 1,000 at each strength.
        fields: what differs otherwise.
    """
    has_outputs = architecture == "digits"
    values: dict[str, Any] = {
        "weights": weights,
        "digest": "0" * 64,
        "architecture": architecture,
        "family": "affine",
        "dataset": "digits",
        "images": 1000,
        "kind": "held-out images",
        "note": "",
        "draws": 1,
        "seed": 0,
        "guessing": 0.1,
        "parameters": 163_040,
        "seconds": 90.0,
        "curves": [_curve(name, counts) for name, counts in errors.items()],
        "pictures": _pictures(len(errors) * (2 if has_outputs else 1), has_outputs),
        "training": _training("RTS"),
        "machine": MACHINE,
        "command": f"stnscope invariance --weights {weights} --dataset digits",
        "date": "2026-01-01",
    }
    return add_invariance(folder, InvarianceResult.model_validate(values | fields))


def _training(distortion: str) -> Training:
    return Training(
        distortion=distortion,
        seed=0,
        steps=10,
        seconds=None,
        machine=None,
        command=None,
        date=None,
    )


def _curve(distortion: str, errors: Sequence[int]) -> InvarianceCurve:
    points = []
    for strength, count in zip(STRENGTHS, errors, strict=True):
        accuracy = (1000 - count) / 1000
        error = math.sqrt(accuracy * (1 - accuracy) / 1000)
        points.append(
            InvariancePoint(
                strength=strength,
                labels=1000,
                errors=count,
                accuracy=accuracy,
                standard_error=error,
            )
        )
    predicted = [["3", "4" if count else "8"] for count in errors]
    half_lost = find_half_lost(points, 0.1)
    return InvarianceCurve(
        distortion=distortion, points=points, half_lost=half_lost, predicted=predicted
    )


def _pictures(rows: int, has_outputs: bool) -> Pictures:
    """Make pictures of two digits, brighter at each strength."""
    image = Image.new("RGB", (2 * len(STRENGTHS) * CELL, rows * CELL))
    for index in range(2 * len(STRENGTHS)):
        grey = 20 * index + 30
        left = index * CELL
        image.paste((grey, grey, grey), (left, 0, left + CELL, rows * CELL))
    file = io.BytesIO()
    image.save(file, "WEBP", lossless=True)
    return Pictures(
        height=CELL,
        width=CELL,
        labels=["3", "8"],
        outputs=has_outputs,
        content=base64.b64encode(file.getvalue()).decode(),
    )
