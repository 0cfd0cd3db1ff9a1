"""A long training in segments: a checkpoint each epoch, and the same call resumes it.

A folder holds `checkpoint.safetensors`, which has the configuration and the time so far in its
metadata, and `log.jsonl`, a line for each epoch. Both outlive any interruption: the checkpoint is
replaced only by a complete one.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.images import Dataset
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.training.loop import Step, Validation, train

CHECKPOINT, LOG = "checkpoint.safetensors", "log.jsonl"


@dataclass(frozen=True, eq=False)
class SavedSegment:
    """What an earlier segment left in the folder."""

    state: dict[str, Tensor]
    """As from `Step.state`."""
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


def write_checkpoint(folder: Path, config: RunConfig, step: Step, seconds: float) -> None:
    """Replace the folder's checkpoint by that of a step."""
    part = folder / f"{CHECKPOINT}.part"
    metadata = {"config": config.model_dump_json(), "seconds": f"{seconds:.1f}"}
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
    report: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Step | None:
    """Train from the folder's checkpoint, or from the start; return the last step.

    Args:
        config: of the training.
        dataset: the loaded `config.dataset`.
        folder: where the checkpoint and the log are.
        minutes: the segment ends with the first epoch after this time; None for no limit.
        report: receives each epoch's line of the log.

    Returns:
        The last step, or None if the segment ended before it.

    Raises:
        InvalidInput: the folder has the checkpoint of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    saved = SavedSegment.read(folder, config)
    before, start = saved.seconds if saved else 0.0, time.monotonic()
    for step in _epochs(config, dataset, saved.state if saved else None):
        is_last = step.step == config.epochs * step.steps_per_epoch
        if step.loss is None:  # the step that is resumed from
            if is_last:
                return step
            continue
        duration = time.monotonic() - start
        line = {
            "epoch": step.epoch,
            "step": step.step,
            "seconds": round(before + duration, 1),
            "loss": step.loss,
            "accuracy": step.accuracy,
        }
        write_checkpoint(folder, config, step, before + duration)
        with (folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        report(line)
        if is_last:
            return step
        if minutes is not None and duration > 60 * minutes:
            return None
    raise AssertionError("training ends with its last step")


def _epochs(config: RunConfig, dataset: Dataset, state: dict[str, Tensor] | None) -> Iterator[Step]:
    """Yield each epoch's last step, validated; on a resume first the one that it resumes from."""
    per_epoch = steps_per_epoch(config, dataset.entry)
    for step in train(config, dataset, state, validate_every=per_epoch):
        if step.step and step.step % per_epoch == 0:
            yield step


def describe_result(config: RunConfig, dataset: Dataset, step: Step) -> dict[str, Any]:
    """Return what a result file holds: configuration, machine, and held-out accuracies.

    `accuracy` is on all held-out images, `accuracy_trained` that of the weights without averaging.
    """
    held_out = Validation.build(config, dataset, complete=True)
    return {
        "config": config.model_dump(mode="json"),
        "steps": step.step,
        "images": len(held_out.labels),
        "accuracy": held_out.accuracy(step.model),
        "accuracy_trained": held_out.accuracy(step.trained),
        "parameters": sum(parameter.numel() for parameter in step.model.parameters()),
        "machine": f"{os.cpu_count()} {platform.machine()} cores, {config.threads} used",
        "torch": torch.__version__,
    }
