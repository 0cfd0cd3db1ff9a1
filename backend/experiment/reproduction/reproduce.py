"""Train and evaluate one row of a published table, and write its result file."""

import datetime
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from stnscope.backend.experiment.config import CPU, RunConfig
from stnscope.backend.experiment.data.load import load
from stnscope.backend.experiment.data.registry import SOURCES
from stnscope.backend.experiment.devices.choice import thread_count
from stnscope.backend.experiment.devices.machine import Machine
from stnscope.backend.experiment.devices.torch_devices import describe_machine, torch_device
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.progress import epoch_of
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.records import MACHINE, SECONDS, evaluated_weights
from stnscope.backend.experiment.reproduction.evaluation import (
    Evaluation,
    TrainedNetwork,
    evaluate_images,
)
from stnscope.backend.experiment.reproduction.invariance import Invariance
from stnscope.backend.experiment.reproduction.paper_tables import ROWS
from stnscope.backend.experiment.reproduction.results import (
    EvaluationResult,
    InvarianceResult,
    SeedResult,
    add_seed,
)
from stnscope.backend.experiment.reproduction.row_groups import recipe_of
from stnscope.backend.experiment.reproduction.segment import TrainingProgress, train_segment
from stnscope.backend.experiment.training.loop import Validation, build_network, to_tensors
from stnscope.models.cards import SUFFIX, cards

CHECKPOINTS = "checkpoints"
"""The folder, in that of the results, with one folder for each row and seed."""


RATES = frozenset({"learning_rate", "localisation_learning_rate"})
"""Settings of a training that are part of a recipe."""


@dataclass(frozen=True)
class Reproduction:
    """The result of a training of a row."""

    result: SeedResult
    path: Path
    """Path of the result file."""


def reproduce(
    name: str,
    seed: int,
    folder: Path,
    data: Path | None = None,
    *,
    device: str = CPU,
    threads: int = 1,
    minutes: float | None = None,
    report: Callable[[TrainingProgress], None] = lambda _: None,
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
    result = _describe(
        config,
        evaluation,
        step=segment.step.step,
        seconds=segment.seconds,
        error_trained=1 - trained,
        machine=describe_machine(thread_count(config), config.device),
        command=f"stnscope reproduce {name} --seed {seed}{_machine_options(config)}",
        steps_per_epoch=segment.step.steps_per_epoch,
    )
    return Reproduction(result, add_seed(folder, row, result))


def evaluate_run(
    name: str,
    recording: Path,
    folder: Path,
    data: Path | None = None,
    *,
    device: str = CPU,
    threads: int = 1,
) -> Reproduction:
    """Evaluate a recorded run that is a training of a row, and write its result file.

    Args:
        name: of the row.
        recording: of the run, which has finished.
        folder: of result files.
        data: the data folder.
        device, threads: what it is evaluated on; the result's machine is that of the training.

    Raises:
        Conflict: the run has not finished, or has no record of how long and where it was trained.
        InvalidInput: it was trained otherwise than the row; or there is no such device.
        DatasetError: the data set is not available, or damaged.
        RecordingError: the recording cannot be read.
    """
    row = ROWS[name]
    with Recording.open(recording) as opened:
        run, config, changes = opened.summary(), opened.config(), opened.changes()
        checkpoint = opened.checkpoint()
    if run["status"] != "finished" or checkpoint is None or checkpoint.step != run["step"]:
        raise Conflict(f"Run {recording.stem} has not finished: {run['status']}.")
    if recipe_of(config) != recipe_of(row.config):
        raise InvalidInput(f"Run {recording.stem} has another configuration than row {name}.")
    if any(RATES & change.settings.values.keys() for change in changes):
        raise InvalidInput(
            f"Run {recording.stem} is not a training of row {name}: its learning rates were "
            "changed while it trained."
        )
    if not {SECONDS, MACHINE} <= checkpoint.info.keys():
        raise Conflict(
            f"Run {recording.stem} does not say where and how long it was trained: an earlier "
            "version recorded it."
        )
    torch.set_num_threads(threads)
    dataset = load(config.dataset, data)
    held_out = Validation.build(config, dataset, complete=True)
    model = build_network(config, len(dataset.entry.classes)).to(torch_device(device))
    tensors = to_tensors(checkpoint.tensors)
    model.load_state_dict(evaluated_weights(tensors, averaged=False))
    error_trained = 1 - held_out.accuracy(model)
    model.load_state_dict(evaluated_weights(tensors))
    evaluation = evaluate_images(TrainedNetwork(name, model, config), held_out, dataset.entry)
    result = _describe(
        # Probes are not part of the recipe.
        config.model_copy(update={"probes": row.config.probes}),
        evaluation,
        step=run["step"],
        seconds=checkpoint.info[SECONDS],
        error_trained=error_trained,
        machine=Machine.model_validate(checkpoint.info[MACHINE]),
        command=f"stnscope sweep --table {name} --seeds {config.seed + 1}"
        + _machine_options(config),
        steps_per_epoch=run["steps_per_epoch"],
    )
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


def _describe(
    config: RunConfig,
    evaluation: Evaluation,
    *,
    step: int,
    steps_per_epoch: int,
    seconds: float,
    error_trained: float,
    machine: Machine,
    command: str,
) -> SeedResult:
    steps = config.epochs * steps_per_epoch
    return SeedResult(
        config=config,
        complete=step == steps,
        epoch=epoch_of(step, steps_per_epoch),
        step=step,
        steps=steps,
        seconds=round(seconds, 1),
        images_per_second=round(step * config.batch_size / max(seconds, 1e-9), 1),
        labels=evaluation.labels,
        errors=evaluation.errors,
        error=evaluation.errors / evaluation.labels,
        error_trained=error_trained,
        parameters=evaluation.parameters,
        multiply_adds=evaluation.multiply_adds,
        evaluation_milliseconds=_milliseconds(evaluation),
        machine=machine,
        command=command,
        date=_today(),
    )


def _machine_options(config: RunConfig) -> str:
    """Return the options of a command for what it is trained on."""
    device = "" if config.device == CPU else f" --device {config.device}"
    return f" --threads {thread_count(config)}{device}"


def _milliseconds(evaluation: Evaluation) -> float:
    return round(1000 * evaluation.seconds / evaluation.images, 3)


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
