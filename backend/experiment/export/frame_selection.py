"""Select the recorded frames that an animation shows."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.limits import MAX_EXPORT_FRAMES
from stnscope.backend.experiment.progress import tenths_of

T = TypeVar("T")


class FrameKey(NamedTuple):
    """The step of a recorded frame, and its index in the closing lap or None."""

    step: int
    lap: int | None = None


class FrameEntry(Protocol):
    """An entry of a recording's list of frames; `moving` means that the probes move."""

    @property
    def step(self) -> int: ...

    @property
    def lap(self) -> int | None: ...

    @property
    def moving(self) -> bool: ...


class Selection(Protocol):
    """The first and last step, and the number of frames to show; None for the default."""

    @property
    def first(self) -> int | None: ...

    @property
    def last(self) -> int | None: ...

    @property
    def frames(self) -> int | None: ...


def select_tenths(frames: Sequence[FrameEntry], steps_per_epoch: int) -> list[FrameKey]:
    """Return the first recorded frame of each tenth of the first epoch.

    Raises:
        Conflict: none is recorded yet.
    """
    by_tenth: dict[int, int] = {}
    for step in _steps(frames):
        if step <= steps_per_epoch:
            by_tenth.setdefault(tenths_of(step, steps_per_epoch), step)
    if not by_tenth:
        raise Conflict("Nothing of the run's first epoch is recorded yet. Try again in a moment.")
    return [FrameKey(step) for step in by_tenth.values()]


def select_range(frames: Sequence[FrameEntry], selection: Selection) -> list[FrameKey]:
    """Return recorded frames, evenly spaced over a range of steps.

    Raises:
        Conflict: nothing is recorded yet.
        InvalidInput: nothing is recorded in that range; has the field.
    """
    steps = _steps(frames)
    if not steps:
        raise Conflict("Nothing of the run is recorded yet. Try again in a moment.")
    return [
        FrameKey(step) for step in _select_evenly(_in_range(steps, selection), selection.frames)
    ]


def select_moving(frames: Sequence[FrameEntry], selection: Selection) -> list[FrameKey]:
    """Return the closing lap; without one, or with a range, the frames of moving probes.

    Raises:
        Conflict: neither is recorded.
        InvalidInput: there are no moving probes in that range; has the field.
    """
    lap = [FrameKey(frame.step, frame.lap) for frame in frames if frame.lap is not None]
    if lap and selection.first is None and selection.last is None:
        return _select_evenly(lap, selection.frames)
    steps = [frame.step for frame in frames if frame.moving and frame.lap is None]
    if not steps and lap:
        raise Conflict(
            "In this run the probes move only in the closing lap, which is at a single step. Omit "
            "first and last."
        )
    if not steps:
        raise Conflict(
            "The probes of this run do not move, and its closing lap is recorded when it finishes. "
            "Switch moving probes on for a while, or let the run finish."
        )
    return [
        FrameKey(step) for step in _select_evenly(_in_range(steps, selection), selection.frames)
    ]


def select_all(frames: Sequence[FrameEntry], selection: Selection) -> list[FrameKey]:
    """Return all frames of a range of steps or, without one, all and those of the closing lap.

    Raises:
        Conflict: nothing is recorded yet.
        InvalidInput: nothing is recorded in that range; has the field.
    """
    if not frames:
        raise Conflict("Nothing of the run is recorded yet. Try again in a moment.")
    if (selection.first, selection.last, selection.frames) == (None, None, None):
        return [FrameKey(frame.step, frame.lap) for frame in frames]
    steps = _in_range(_steps(frames), selection)
    chosen = steps if selection.frames is None else _select_evenly(steps, selection.frames)
    return [FrameKey(step) for step in chosen]


def _steps(frames: Sequence[FrameEntry]) -> list[int]:
    return [frame.step for frame in frames if frame.lap is None]


def _in_range(steps: list[int], selection: Selection) -> list[int]:
    first = selection.first or 0
    last = selection.last if selection.last is not None else max(first, steps[-1])
    if first > last:
        raise InvalidInput(f"The first step, {first}, is after the last, {last}.", "first")
    in_range = [step for step in steps if first <= step <= last]
    if not in_range:
        field = "first" if selection.first is not None else "last"
        raise InvalidInput(
            f"No such frame is recorded from step {first} to {last}; this run has some from "
            f"step {steps[0]} to {steps[-1]}.",
            field,
        )
    return in_range


def _select_evenly(items: list[T], count: int | None) -> list[T]:
    count = min(count or MAX_EXPORT_FRAMES, len(items))
    return [items[index] for index in np.linspace(0, len(items) - 1, count).round().astype(int)]
