"""The table of a sweep: a row for each combination, with the results of its seeds; also as CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stnscope.backend.experiment.csv_cells import text_cell
from stnscope.backend.experiment.run_status import TRAINING
from stnscope.backend.experiment.sweeps.sweep_config import Values

FIGURES: Mapping[str, str] = {
    "accuracy": "The latest on held-out images.",
    "loss": "Of the latest batch.",
    "stillness": "How much outputs change relative to inputs; 0 is perfectly still.",
}
"""What a run's summary has as a number, by its name there: the table has its mean over seeds."""
CSV_COLUMNS = ("status", "step", "steps", "epoch", *FIGURES, "collapsed", "error")
"""Columns of a run's summary, after those of the sweep's fields and the seed."""


class MemberSummary(NamedTuple):
    """A run of a sweep: in what it differs, and its summary as `Recording.summary` returns it."""

    values: Values
    seed: int
    summary: dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """A figure over the seeds of a combination."""

    mean: float
    min: float
    max: float
    runs: int
    """How many have it."""


@dataclass(frozen=True)
class Combination:
    """The runs of a sweep that differ in their seeds only.

    Its figures are those of the runs that finished; before one has, of those with any.
    """

    values: Values
    runs: tuple[MemberSummary, ...]
    finished: int
    """How many finished."""
    figures: Mapping[str, Spread | None]
    """Means and ranges by the names of `FIGURES`."""
    collapsed: int
    """How many of the runs with frames had mostly collapsed regions in their last frame."""
    observed: int
    """How many runs have frames."""


def combinations(members: Iterable[MemberSummary]) -> list[Combination]:
    """Return the combinations of a sweep's runs, in the order of their first runs."""
    groups: dict[str, list[MemberSummary]] = {}
    for member in members:
        groups.setdefault(json.dumps(member.values), []).append(member)
    return [_combine(group) for group in groups.values()]


def _combine(runs: Sequence[MemberSummary]) -> Combination:
    finished = [run for run in runs if run.summary["status"] == "finished"]
    counted = finished or runs
    observed = [run for run in runs if run.summary["frames"]]
    return Combination(
        values=runs[0].values,
        runs=tuple(runs),
        finished=len(finished),
        collapsed=sum(bool(run.summary["collapsed"]) for run in observed),
        observed=len(observed),
        figures={name: spread(run.summary[name] for run in counted) for name in FIGURES},
    )


def spread(values: Iterable[float | None]) -> Spread | None:
    """Return the mean and the range of those values that are numbers; None if there is none."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return None
    return Spread(sum(numbers) / len(numbers), min(numbers), max(numbers), len(numbers))


def status_of(members: Sequence[MemberSummary]) -> str:
    """Return the status of a sweep: that of the run whose status is most important."""
    statuses = {member.summary["status"] for member in members}
    if statuses & TRAINING:
        return "running"
    for status in ("queued", "interrupted", "stopped", "failed"):
        if status in statuses:
            return status
    return "finished"


def write_csv(fields: Sequence[str], members: Iterable[MemberSummary]) -> str:
    """Return the runs of a sweep as CSV (RFC 4180): one row each, a column for each field."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["run", *fields, "seed", *CSV_COLUMNS])
    for values, seed, summary in members:
        cells = [_cell(values.get(field)) for field in fields]
        writer.writerow(
            [summary["id"], *cells, seed, *(_cell(summary[name]) for name in CSV_COLUMNS)]
        )
    return text.getvalue()


def _cell(value: Any) -> str:
    """Return a value as a cell: text as it is, nothing for null, all else as JSON."""
    if value is None:
        return ""
    return text_cell(value) if isinstance(value, str) else json.dumps(value)
