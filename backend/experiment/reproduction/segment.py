"""A long training in segments: checkpoints on the way, from which the same call resumes it.

A folder holds `checkpoint.safetensors`, which has the configuration and the time so far in its
metadata, and `log.jsonl`, a line for each epoch. Both outlive any interruption: the checkpoint is
replaced only by a complete one. A resumed training computes the same as one without interruption,
bit for bit, on the CPU of the same machine with the same number of threads.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.devices.choice import thread_count
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.training.loop import Step, train

CHECKPOINT, LOG, LOCK = "checkpoint.safetensors", "log.jsonl", "training.lock"
CHECKPOINT_SECONDS = 20.0
"""Training that an interruption costs at most, apart from a step."""
REPORT_SECONDS = 0.5
"""Interval between reports of progress."""


@dataclass(frozen=True, eq=False)
class SavedSegment:
    """What an earlier segment left in the folder."""

    state: dict[str, Tensor]
    """Checkpoint, as from `Step.state`."""
    seconds: float
    """Duration of the training so far."""

    @classmethod
    def read(cls, folder: Path, config: RunConfig) -> "SavedSegment | None":
        """Read the checkpoint; None if there is none.

        Raises:
            InvalidInput: it is of another configuration.
        """
        path = folder / CHECKPOINT
        if not path.exists():
            return None
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if RunConfig.model_validate_json(metadata["config"]) != config:
            raise InvalidInput(f"{path} is of another configuration; choose another folder.")
        return cls(state, float(metadata["seconds"]))


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is."""

    epoch: int
    epochs: int
    step: int
    steps: int
    seconds: float
    """Duration of the training so far, over all segments."""
    images_per_second: float
    """Images per second in this segment."""
    loss: float | None
    accuracy: float | None
    """The latest on held-out images, of which it may be a part."""
    is_epoch: bool
    """Whether an epoch ends here."""

    @property
    def seconds_left(self) -> float | None:
        """Duration of the rest at the pace so far; None if that is not known."""
        return self.seconds / self.step * (self.steps - self.step) if self.step else None


@dataclass(frozen=True, eq=False)
class Segment:
    """The end of a segment."""

    step: Step
    """Its last one."""
    seconds: float
    """Duration of the training so far, over all segments."""
    is_complete: bool
    """Whether it is the last step of the training."""
    is_stopped: bool = False
    """Whether `should_stop` ended it."""


def write_checkpoint(
    folder: Path, config: RunConfig, step: Step, seconds: float, classes: int
) -> None:
    """Replace the folder's checkpoint by that of a step."""
    part = folder / f"{CHECKPOINT}.part"
    metadata = {
        "config": config.model_dump_json(),
        "seconds": f"{seconds:.1f}",
        "classes": str(classes),
    }
    save_file(step.state(), part, metadata)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(folder / CHECKPOINT)


def train_segment(
    config: RunConfig,
    dataset: Dataset,
    folder: Path,
    *,
    minutes: float | None = None,
    report: Callable[[TrainingProgress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Segment:
    """Train from the folder's checkpoint, or from the start, and write checkpoints.

    Args:
        config: of the training.
        dataset: the loaded `config.dataset`.
        folder: where the checkpoint and the log are.
        minutes: the segment ends with the first step after this time; None for no limit.
        report: receives the progress at the end of each epoch, and twice a second between.
        should_stop: called after each step; whether the segment is to end there.

    Raises:
        InvalidInput: the folder has the checkpoint of another configuration.
        Conflict: another process trains in the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            return _train(config, dataset, folder, minutes, report, should_stop)
    except Timeout:
        raise Conflict(f"Another process trains in {folder}; wait until it ends.") from None


def _train(
    config: RunConfig,
    dataset: Dataset,
    folder: Path,
    minutes: float | None,
    report: Callable[[TrainingProgress], None],
    should_stop: Callable[[], bool],
) -> Segment:
    torch.set_num_threads(thread_count(config))
    saved = SavedSegment.read(folder, config)
    before, start = saved.seconds if saved else 0.0, time.monotonic()
    per_epoch = steps_per_epoch(config, dataset.entry)
    first, steps = None, config.epochs * per_epoch
    written = reported = start
    for step in train(config, dataset, saved.state if saved else None, validate_every=per_epoch):
        now = time.monotonic()
        duration, is_last = now - start, step.step == steps
        if first is None:  # the step that is resumed from, or step 0
            first = step.step
            _remove_later_lines(folder / LOG, first)
            if is_last:
                return Segment(step, before, is_complete=True)
            continue
        progress = TrainingProgress(
            step.epoch,
            config.epochs,
            step.step,
            steps,
            before + duration,
            (step.step - first) * config.batch_size / duration,
            step.loss,
            step.accuracy,
            step.step % per_epoch == 0,
        )
        is_stopped = should_stop()
        is_over = minutes is not None and duration >= 60 * minutes
        is_end = is_last or is_stopped or is_over
        if progress.is_epoch:
            _append_line(folder / LOG, progress)
        if is_end or now - written >= CHECKPOINT_SECONDS:
            write_checkpoint(folder, config, step, before + duration, len(dataset.entry.classes))
            written = time.monotonic()
        if progress.is_epoch or now - reported >= REPORT_SECONDS:
            report(progress)
            reported = now
        if is_end:
            return Segment(step, before + duration, is_last, is_stopped)
    raise AssertionError("training ends with its last step")


def _append_line(path: Path, progress: TrainingProgress) -> None:
    line = {
        "epoch": progress.epoch,
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": progress.loss,
        "accuracy": progress.accuracy,
    }
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def _remove_later_lines(path: Path, step: int) -> None:
    """Remove what the log has of steps after the checkpoint, which are done again."""
    if not path.exists():
        return
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if _has_step(line, step)]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _has_step(line: str, step: int) -> bool:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:  # an interruption left a part of it
        return False
    return int(entry["step"]) <= step
