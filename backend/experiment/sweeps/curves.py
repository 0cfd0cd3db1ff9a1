"""Curves of a sweep: the mean and the range over the seeds of each combination, over epochs."""

from collections.abc import Sequence
from typing import NamedTuple

from stnscope.backend.experiment.recording.reader import Columns
from stnscope.backend.experiment.sweeps.table import spread

CURVES = ("accuracy", "loss")
POINTS = 48
"""Intervals of a run's steps, each of which is a point of its curves."""


class IntervalMeans(NamedTuple):
    """Means of one run over equal intervals of its steps."""

    steps_per_epoch: int
    columns: Columns
    """`interval`, an index from 0 on, and a column for each of `CURVES`."""
    span: int
    """Steps in an interval."""


class Band(NamedTuple):
    """A curve of a combination: columns of equal length."""

    epoch: list[float]
    """End of each interval."""
    mean: list[float]
    low: list[float]
    """The lowest of any seed."""
    high: list[float]


def steps_per_interval(steps: int) -> int:
    """Return how many steps of a run of `steps` make an interval."""
    return max(1, -(-steps // POINTS))


def band(means: Sequence[IntervalMeans], name: str) -> Band:
    """Return a curve over the seeds of a combination; intervals without a value are left out.

    Args:
        means: of runs of the same length.
        name: one of `CURVES`.
    """
    by_interval: dict[int, list[float]] = {}
    for run_means in means:
        intervals, values = run_means.columns["interval"], run_means.columns[name]
        for interval, value in zip(intervals, values, strict=True):
            if value is not None:
                by_interval.setdefault(interval, []).append(value)
    result = Band([], [], [], [])
    for interval, values in sorted(by_interval.items()):
        over_seeds = spread(values)
        assert over_seeds is not None
        result.epoch.append(round((interval + 1) * means[0].span / means[0].steps_per_epoch, 4))
        result.mean.append(over_seeds.mean)
        result.low.append(over_seeds.min)
        result.high.append(over_seeds.max)
    return result
