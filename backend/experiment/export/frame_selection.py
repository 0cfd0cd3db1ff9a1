"""Which recorded frames an animation shows."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.limits import MAX_EXPORT_FRAMES
from stnscope.backend.experiment.progress import tenths_of

T = TypeVar("T")


class Moment(NamedTuple):
    """A step, and where it is one of its closing lap, its number in that."""

    step: int
    lap: int | None = None


class Listed(Protocol):
    """What is asked of a recording's list of frames."""

    @property
    def step(self) -> int: ...

    @property
    def lap(self) -> int | None: ...

    @property
    def moving(self) -> bool: ...


class Range(Protocol):
    """What was asked for: steps from and to, and how many; None where nothing was."""

    @property
    def first(self) -> int | None: ...

    @property
    def last(self) -> int | None: ...

    @property
    def frames(self) -> int | None: ...


def tenths(frames: Sequence[Listed], steps_per_epoch: int) -> list[Moment]:
    """The first recorded step of each tenth of the first epoch, as far as it has come.

    Raises:
        Conflict: there is none yet.
    """
    by_tenth: dict[int, int] = {}
    for step in _steps(frames):
        if step <= steps_per_epoch:
            by_tenth.setdefault(tenths_of(step, steps_per_epoch), step)
    if not by_tenth:
        raise Conflict("Nothing is recorded of the run's first epoch yet. Try again in a moment.")
    return [Moment(step) for step in by_tenth.values()]


def within(frames: Sequence[Listed], asked: Range) -> list[Moment]:
    """Recorded steps, evenly spaced over a range.

    Raises:
        Conflict: nothing is recorded yet.
        InvalidInput: nothing is recorded in that range; names the field.
    """
    steps = _steps(frames)
    if not steps:
        raise Conflict("Nothing is recorded of the run yet. Try again in a moment.")
    return [Moment(step) for step in _spread(_inside(steps, asked), asked.frames)]


def moving(frames: Sequence[Listed], asked: Range) -> list[Moment]:
    """The closing lap; without one, or where a range is asked for, the steps whose probes moved.

    Raises:
        Conflict: neither is recorded.
        InvalidInput: nothing moved in that range; names the field.
    """
    lap = [Moment(frame.step, frame.lap) for frame in frames if frame.lap is not None]
    if lap and asked.first is None and asked.last is None:
        return _spread(lap, asked.frames)
    steps = [frame.step for frame in frames if frame.moving and frame.lap is None]
    if not steps and lap:
        raise Conflict(
            "Of this run only the closing lap moves, and that has one step; leave first and last "
            "out."
        )
    if not steps:
        raise Conflict(
            "Nothing moves in this run yet: its probes stand still, and the closing lap comes when "
            "it finishes. Let the probes move for a while, or let the run finish."
        )
    return [Moment(step) for step in _spread(_inside(steps, asked), asked.frames)]


def _steps(frames: Sequence[Listed]) -> list[int]:
    return [frame.step for frame in frames if frame.lap is None]


def _inside(steps: list[int], asked: Range) -> list[int]:
    first = asked.first or 0
    last = asked.last if asked.last is not None else max(first, steps[-1])
    if first > last:
        raise InvalidInput(f"The first step, {first}, comes after the last, {last}.", "first")
    inside = [step for step in steps if first <= step <= last]
    if not inside:
        field = "first" if asked.first is not None else "last"
        raise InvalidInput(
            f"No such frame is recorded from step {first} to {last}; this run's go from "
            f"step {steps[0]} to {steps[-1]}.",
            field,
        )
    return inside


def _spread(found: list[T], wanted: int | None) -> list[T]:
    count = min(wanted or MAX_EXPORT_FRAMES, len(found))
    return [found[place] for place in np.linspace(0, len(found) - 1, count).round().astype(int)]
