"""Train and evaluate one row of a published table, and write its result file."""

import datetime
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import SOURCES
from stnscope.backend.experiment.devices.choice import find_device, processor, thread_count
from stnscope.backend.experiment.devices.cores import processor_name
from stnscope.backend.experiment.devices.torch_devices import list_devices, torch_device
from stnscope.backend.experiment.reproduction.evaluation import (
    Evaluation,
    TrainedNetwork,
    evaluate_images,
)
from stnscope.backend.experiment.reproduction.invariance import Invariance
from stnscope.backend.experiment.reproduction.results import (
    EvaluationResult,
    InvarianceResult,
    Machine,
    SeedResult,
    add_seed,
)
from stnscope.backend.experiment.reproduction.rows import ROWS
from stnscope.backend.experiment.reproduction.segment import Progress, Segment, train_segment
from stnscope.backend.experiment.training.loop import Validation
from stnscope.backend.version import VERSION
from stnscope.models.cards import SUFFIX, cards

CHECKPOINTS = "checkpoints"
"""The folder, in that of the results, with one folder for each row and seed."""


@dataclass(frozen=True)
class Reproduction:
    """What a training of a row came to."""

    result: SeedResult
    path: Path
    """Of the result file."""


def reproduce(
    name: str,
    seed: int,
    folder: Path,
    data: Path | None = None,
    *,
    device: str = CPU,
    threads: int = 1,
    minutes: float | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Reproduction | None:
    """Train a row from its checkpoint, or from the start; evaluate it and write its result file.

    None if `should_stop` ended the training.

    Args:
        name: of the row.
        seed: of the training.
        folder: of result files and checkpoints.
        data: the data folder.
        device: name of the one that the network is trained and evaluated on.
        threads: CPU threads; equal results need equal numbers.
        minutes: as for `train_segment`. What has been trained by then is evaluated, and marked as
            not complete.
        report, should_stop: as for `train_segment`. The same call resumes the training.

    Raises:
        InvalidInput: the folder has the checkpoint of another recipe, device or number of threads;
            or there is no such device.
        Conflict: another process trains this row and seed in this folder.
        DatasetError: the data set is not available, or damaged.
    """
    row = ROWS[name]
    changed = {"seed": seed, "device": str(torch_device(device)), "threads": threads}
    config = row.config.model_copy(update=changed)
    dataset = load(config.dataset, data)
    checkpoints = checkpoint_folder(folder, name, seed)
    segment = train_segment(
        config, dataset, checkpoints, minutes=minutes, report=report, should_stop=should_stop
    )
    if segment.is_stopped:
        return None
    held_out = Validation.build(config, dataset, complete=True)
    evaluation = evaluate_images(
        TrainedNetwork(name, segment.step.model, config), held_out, dataset.entry
    )
    averaged = segment.step.model is not segment.step.trained
    trained = held_out.accuracy(segment.step.trained) if averaged else evaluation.accuracy
    command = f"stnscope reproduce {name} --seed {seed} --threads {threads}"
    if config.device != CPU:
        command += f" --device {config.device}"
    result = _describe(config, segment, evaluation, 1 - trained, command)
    return Reproduction(result, add_seed(folder, row, result))


def checkpoint_folder(folder: Path, name: str, seed: int) -> Path:
    """Return where the checkpoint and the log of a row and seed are."""
    return folder / CHECKPOINTS / f"{name}-{seed}"


def describe_evaluation(
    evaluation: Evaluation, threads: int, device: str = CPU, *, every_image: bool = False
) -> EvaluationResult:
    """Return the result file of an evaluation.

    Args:
        evaluation: of weights in a file.
        threads, device: what was used.
        every_image: as for `evaluate`.
    """
    training = evaluation.training
    assert training is not None, "the weights are in a file"
    words = ["stnscope", "evaluate", "--weights", evaluation.weights]
    words += ["--dataset", evaluation.dataset]
    if evaluation.distortion != training.distortion:
        words += ["--distortion", evaluation.distortion]
    if every_image:
        words.append("--every-image")
    if evaluation.dataset in SOURCES:
        words += ["--data", "DATA"]
    return EvaluationResult(
        weights=evaluation.weights,
        digest=evaluation.digest,
        architecture=evaluation.architecture,
        family=evaluation.family,
        dataset=evaluation.dataset,
        distortion=evaluation.distortion,
        images=evaluation.images,
        kind=evaluation.kind,
        note=evaluation.note,
        labels=evaluation.labels,
        errors=evaluation.errors,
        accuracy=evaluation.accuracy,
        parameters=evaluation.parameters,
        multiply_adds=evaluation.multiply_adds,
        evaluation_milliseconds=_milliseconds(evaluation),
        training=training,
        machine=describe_machine(threads, device),
        command=shlex.join(words),
        date=_today(),
    )


def describe_invariance(
    invariance: Invariance, threads: int, device: str = CPU
) -> InvarianceResult:
    """Return the result file of an evaluation under variations.

    Args:
        invariance: of weights in a file.
        threads, device: what was used.
    """
    trained = invariance.trained
    assert trained.training is not None, "the weights are in a file"
    name = trained.name if trained.name in cards() else f"{trained.name}{SUFFIX}"
    words = ["stnscope", "invariance", "--weights", name, "--dataset", invariance.dataset]
    words += ["--images", str(invariance.images), "--draws", str(invariance.draws)]
    words += ["--seed", str(invariance.seed)]
    if invariance.dataset in SOURCES:
        words += ["--data", "DATA"]
    return InvarianceResult(
        weights=trained.name,
        digest=trained.digest,
        architecture=trained.config.architecture,
        family=trained.config.family,
        dataset=invariance.dataset,
        images=invariance.images,
        kind=invariance.kind,
        note=invariance.note,
        draws=invariance.draws,
        seed=invariance.seed,
        guessing=invariance.guessing,
        parameters=invariance.parameters,
        seconds=round(invariance.seconds, 1),
        curves=list(invariance.curves),
        pictures=invariance.pictures,
        training=trained.training,
        machine=describe_machine(threads, device),
        command=shlex.join(words),
        date=_today(),
    )


def describe_machine(threads: int, device: str = CPU) -> Machine:
    """Return what this process computes on.

    Args:
        threads: CPU threads that are used.
        device: name of the one that networks are applied on.
    """
    entry = find_device(device, [processor()] if device == CPU else list_devices())
    return Machine(
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        device=entry.name if entry.name == CPU else f"{entry.name}, {entry.title}",
        threads=threads,
        torch=torch.__version__,
        version=VERSION,
    )


def _describe(
    config: RunConfig,
    segment: Segment,
    evaluation: Evaluation,
    error_trained: float,
    command: str,
) -> SeedResult:
    step = segment.step
    return SeedResult(
        config=config,
        complete=segment.is_complete,
        epoch=step.epoch,
        step=step.step,
        steps=config.epochs * step.steps_per_epoch,
        seconds=round(segment.seconds, 1),
        images_per_second=round(step.step * config.batch_size / max(segment.seconds, 1e-9), 1),
        labels=evaluation.labels,
        errors=evaluation.errors,
        error=evaluation.errors / evaluation.labels,
        error_trained=error_trained,
        parameters=evaluation.parameters,
        multiply_adds=evaluation.multiply_adds,
        evaluation_milliseconds=_milliseconds(evaluation),
        machine=describe_machine(thread_count(config), config.device),
        command=command,
        date=_today(),
    )


def _milliseconds(evaluation: Evaluation) -> float:
    return round(1000 * evaluation.seconds / evaluation.images, 3)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
