"""What a recording contains besides metrics: frames, checkpoints, changes and added pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.frames.frame import Array, Label

T = TypeVar("T")

MODEL, AVERAGE = "model.", "average."
"""Prefixes of a checkpoint's tensors: weights, and their moving average, where there is one."""


class FrameRef(NamedTuple):
    """A recorded frame: its step, its index in the closing lap or None, and if probes move."""

    seq: int
    step: int
    lap: int | None
    moving: bool


class CheckpointRef(NamedTuple):
    """A recorded checkpoint: its step, and the attempt that wrote it."""

    step: int
    attempt: int


@dataclass(frozen=True)
class StoredFrame:
    """A stored frame: its encoding without the input, and the key of its input."""

    ref: FrameRef
    input_key: str
    data: bytes


SECONDS, MACHINE = "seconds", "machine"
"""Names in a checkpoint's `info`."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of training after `step`: tensors by name, and a JSON object."""

    step: int
    attempt: int
    info: Mapping[str, Any]
    """The latest accuracy and its step; `SECONDS`, the duration of the training so far, and
    `MACHINE`, the fields of `devices.machine.Machine`, which earlier versions did not write."""
    tensors: Mapping[str, Array]


@dataclass(frozen=True)
class Change:
    """Settings that a user changed after `step`; in effect from the next step on."""

    step: int
    attempt: int
    settings: SettingsChange


@dataclass(frozen=True, eq=False)
class AddedPicture:
    """A picture that was added to the probes, from `step` on."""

    step: int
    attempt: int
    label: Label
    image: Array
    """(H, W, C) uint8, in the network's input size."""


def evaluated_weights(tensors: Mapping[str, T], *, averaged: bool = True) -> dict[str, T]:
    """Return the weights in a checkpoint's tensors: the averaged ones, if they were evaluated.

    Args:
        tensors: of the checkpoint.
        averaged: False for those that were trained.
    """
    has_average = averaged and any(name.startswith(AVERAGE) for name in tensors)
    prefix = AVERAGE if has_average else MODEL
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
