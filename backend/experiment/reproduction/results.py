"""Result files: what was trained or evaluated, on what, how long, and what came out. Without torch.

A figure exists only with its file. One of a row of a published table is `<row>.json`, with a run
for each seed; one of an evaluation is `evaluation-<weights>-<data set>.json`, and one of accuracy
over the strength of variations `invariance-<weights>-<data set>.json`. Those that are kept with the
program are in `results/` beside this module.
"""

import json
import os
import statistics
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from filelock import FileLock
from pydantic import BaseModel, Field, ValidationError

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.devices.machine import Machine
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.reproduction.invariance_curve import (
    InvarianceCurve,
    Pictures,
    check_curves,
    decode_pictures,
)
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, Row
from stnscope.backend.experiment.reproduction.stored_model import Fraction, StoredModel

KEPT = Path(__file__).with_name("results")
"""The files that are kept with the program."""
MAX_BYTES = 1_000_000
"""A larger file is not a result: one of a hundred seeds has a tenth of it."""
EVALUATION_PREFIX = "evaluation-"
INVARIANCE_PREFIX = "invariance-"
LOCK = ".results.lock"

Origin = Literal["stnscope", "home"]
"""Location of a result file: kept with the program, or in the user's home."""


class SeedResult(StoredModel):
    """One training of a row and its evaluation."""

    config: RunConfig
    complete: bool = Field(description="Whether it was trained to its end.")
    epoch: int = Field(description="The one that it was trained to.")
    step: int = Field(ge=0)
    steps: int = Field(gt=0, description="Of the whole training.")
    seconds: float = Field(description="Duration of the training.")
    images_per_second: float
    labels: int = Field(gt=0, description="Labels that were evaluated.")
    errors: int = Field(ge=0, description="Wrong ones.")
    error: Fraction = Field(description="Their fraction.")
    error_trained: Fraction = Field(description="That of the weights without averaging.")
    parameters: int
    multiply_adds: int = Field(description="For one image.")
    evaluation_milliseconds: float = Field(description="For one image.")
    machine: Machine
    command: str
    date: str

    @property
    def seed(self) -> int:
        return self.config.seed

    @property
    def complete_epochs(self) -> int:
        """Epochs that were trained to their end."""
        return self.step * self.config.epochs // self.steps


class RowResult(StoredModel):
    """All trainings of a row."""

    format: Literal[1] = 1
    row: str
    error: Fraction = Field(description="The mean over the seeds.")
    spread: float | None = Field(description="Standard deviation over seeds; null for one.")
    complete: bool = Field(description="Whether all were trained to their end.")
    runs: list[SeedResult] = Field(min_length=1)

    @classmethod
    def of(cls, row: str, runs: list[SeedResult]) -> "RowResult":
        """Return the result of some trainings."""
        errors = [run.error for run in runs]
        return cls(
            row=row,
            error=statistics.fmean(errors),
            spread=statistics.stdev(errors) if len(errors) > 1 else None,
            complete=all(run.complete for run in runs),
            runs=sorted(runs, key=lambda run: run.seed),
        )


class Training(StoredModel):
    """How evaluated weights were trained; null is what is not recorded."""

    distortion: str
    seed: int | None
    steps: int | None
    seconds: float | None = Field(description="Duration of the training.")
    machine: str | None
    command: str | None = Field(description="The command that trained them.")
    date: str | None


class EvaluationResult(StoredModel):
    """One evaluation of trained weights."""

    format: Literal[1] = 1
    weights: str
    digest: str = Field(description="SHA-256 of the file of the weights.")
    architecture: str
    family: str
    dataset: str
    distortion: str = Field(description="Of the images.")
    images: int = Field(gt=0)
    kind: str = Field(description="Which images they are.")
    note: str = Field(description="A note about them, as sentences; may be empty.")
    labels: int = Field(gt=0)
    errors: int = Field(ge=0)
    accuracy: Fraction
    parameters: int
    multiply_adds: int = Field(description="For one image.")
    evaluation_milliseconds: float = Field(description="For one image.")
    training: Training
    machine: Machine
    command: str
    date: str


class InvarianceResult(StoredModel):
    """The accuracy of trained weights as each variation of the images grows."""

    format: Literal[1] = 1
    weights: str
    digest: str = Field(description="SHA-256 of the file of the weights.")
    architecture: str
    family: str
    dataset: str
    images: int = Field(gt=0)
    kind: str = Field(description="Which images they are.")
    note: str = Field(description="A note about them, as sentences; may be empty.")
    draws: int = Field(gt=0, description="Times that each image is distorted at each strength.")
    seed: int = Field(description="Of the choice of images and of the distortions.")
    guessing: Fraction = Field(description="Accuracy of a guess.")
    parameters: int
    seconds: float = Field(description="Duration of the evaluation.")
    curves: list[InvarianceCurve] = Field(min_length=1)
    pictures: Pictures
    training: Training
    machine: Machine
    command: str
    date: str


Result = RowResult | EvaluationResult | InvarianceResult
Stored = TypeVar("Stored", bound=StoredModel)


@dataclass(frozen=True)
class UnreadableResult:
    """A result file that is not shown."""

    name: str
    reason: str


@dataclass(frozen=True)
class Results:
    """The result files of a folder, by name without suffix."""

    rows: Mapping[str, RowResult]
    evaluations: Mapping[str, EvaluationResult]
    invariances: Mapping[str, InvarianceResult]
    unreadable: tuple[UnreadableResult, ...] = ()


def read_results(folder: Path = KEPT) -> Results:
    """Read all result files in a folder, which need not exist.

    Those that are damaged, or no results, are named with the reason.
    """
    rows: dict[str, RowResult] = {}
    evaluations: dict[str, EvaluationResult] = {}
    invariances: dict[str, InvarianceResult] = {}
    unreadable = []
    for path in sorted(folder.glob("*.json")):
        try:
            if path.name.startswith(EVALUATION_PREFIX):
                evaluations[path.stem] = read_evaluation(path)
            elif path.name.startswith(INVARIANCE_PREFIX):
                invariances[path.stem] = read_invariance(path)
            else:
                rows[path.stem] = read_row(path)
        except InvalidInput as error:
            unreadable.append(UnreadableResult(display_name(path.name), str(error)))
    return Results(rows, evaluations, invariances, tuple(unreadable))


def find_pictures(folder: Path, origin: Origin, name: str) -> bytes | None:
    """Return the pictures of a result file of variations, as WebP; None if there are none.

    Args:
        folder: of the user's own result files.
        origin: where the file is.
        name: of the file.
    """
    for path in (folder if origin == "home" else KEPT).glob(f"{INVARIANCE_PREFIX}*.json"):
        if path.name == name:
            with suppress(InvalidInput):
                return decode_pictures(read_invariance(path).pictures)
    return None


def read_row(path: Path) -> RowResult:
    """Read the result file of a row.

    Raises:
        InvalidInput: it is damaged, or its figures are not those of its runs.
    """
    result = _read(path, RowResult)
    name = display_name(path.name)
    if result.row not in ROWS or path.stem != result.row:
        raise InvalidInput(f"{name} is of a row {result.row!r} that is not known.")
    for run in result.runs:
        if run.error != run.errors / run.labels:
            raise InvalidInput(f"{name} has an error that is not its errors by its labels.")
        if run.complete != (run.step == run.steps) or run.step > run.steps:
            raise InvalidInput(f"{name} has the wrong value for whether it is complete.")
        if _task(run.config) != _task(ROWS[result.row].config):
            raise InvalidInput(f"{name} is of another network or data set than its row.")
    if len({run.seed for run in result.runs}) < len(result.runs):
        raise InvalidInput(f"{name} has a seed twice.")
    if result != RowResult.of(result.row, list(result.runs)):
        raise InvalidInput(f"{name} has a mean or spread that is not that of its runs.")
    return result


def read_evaluation(path: Path) -> EvaluationResult:
    """Read the result file of an evaluation.

    Raises:
        InvalidInput: it is damaged, or its accuracy is not that of its errors.
    """
    result = _read(path, EvaluationResult)
    if result.accuracy != (result.labels - result.errors) / result.labels:
        raise InvalidInput(
            f"{display_name(path.name)} has an accuracy that is not that of its errors."
        )
    return result


def read_invariance(path: Path) -> InvarianceResult:
    """Read the result file of an evaluation under variations.

    Raises:
        InvalidInput: it is damaged, or a figure is not that of its errors.
    """
    result = _read(path, InvarianceResult)
    if fault := check_curves(result.curves, result.guessing, result.pictures):
        raise InvalidInput(f"{display_name(path.name)} has {fault}.")
    return result


def add_seed(folder: Path, row: Row, run: SeedResult) -> Path:
    """Write a training's result into its row's file, in place of an earlier one of the seed.

    Earlier results of another recipe are removed. Returns the file's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row.name}.json"
    # Several processes may train a seed each.
    with FileLock(folder / LOCK):
        others = _earlier_runs(path)
        same = without_seed(run.config)
        runs = [o for o in others if o.seed != run.seed and without_seed(o.config) == same]
        _write(path, RowResult.of(row.name, [*runs, run]))
    return path


def add_evaluation(folder: Path, result: EvaluationResult) -> Path:
    """Write the result of an evaluation; return the file's path.

    The distortion is in its name where it is not that of the training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [result.weights, result.dataset]
    if result.distortion != result.training.distortion:
        names.append(result.distortion.replace(" ", ""))
    path = folder / f"{EVALUATION_PREFIX}{'-'.join(names)}.json"
    with FileLock(folder / LOCK):
        _write(path, result)
    return path


def add_invariance(folder: Path, result: InvarianceResult) -> Path:
    """Write the result of an evaluation under variations; return the file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{INVARIANCE_PREFIX}{result.weights}-{result.dataset}.json"
    with FileLock(folder / LOCK):
        _write(path, result)
    return path


def without_seed(config: RunConfig) -> RunConfig:
    """Return a configuration's recipe: without what differs between repetitions of it."""
    return config.model_copy(update={"seed": 0, "device": CPU, "threads": 1})


def _task(config: RunConfig) -> tuple[object, ...]:
    """Return what a row is about; the rest of its configuration is the recipe."""
    return config.architecture, config.family, config.dataset, config.distortion


def _earlier_runs(path: Path) -> list[SeedResult]:
    try:
        return list(read_row(path).runs) if path.exists() else []
    except InvalidInput:  # a file that cannot be read shows nothing either
        return []


def _read(path: Path, model: type[Stored]) -> Stored:
    name = display_name(path.name)
    try:
        if not path.is_file():
            raise InvalidInput(f"{name} is not a file.")  # a pipe would be waited for
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"{name} is too large for a result.")
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = format_error(first, first["loc"], model)
        raise InvalidInput(f"{name} is not a result: {message}") from None
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}.") from None


def _write(path: Path, result: BaseModel) -> None:
    """Replace a file, by a complete one or not at all."""
    part = path.with_suffix(f".{os.getpid()}.part")
    text = json.dumps(result.model_dump(mode="json"), indent=2, ensure_ascii=False)
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
