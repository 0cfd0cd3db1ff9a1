"""The table of a sweep, from the summaries of its runs."""

import csv
from typing import Any

import pytest

from stnscope.backend.experiment.sweeps.curves import IntervalMeans, band
from stnscope.backend.experiment.sweeps.table import (
    CSV_COLUMNS,
    MemberSummary,
    Spread,
    combinations,
    status_of,
    write_csv,
)

UNKNOWN = dict.fromkeys(CSV_COLUMNS) | {"id": "a", "frames": 0, "collapsed": False}


def member(family: str, seed: int = 0, **summary: Any) -> MemberSummary:
    return MemberSummary({"family": family}, seed, {**UNKNOWN, "status": "finished", **summary})


def test_figures_are_over_the_seeds_that_finished() -> None:
    first, second = combinations(
        [
            member("affine", 0, accuracy=0.5, frames=3, collapsed=True),
            member("affine", 1, accuracy=0.9, frames=3),
            member("scale", 0, accuracy=0.25, status="running", frames=1),
            member("scale", 1, status="queued"),
            member("affine", 2, accuracy=0.1, status="running", frames=1),
        ]
    )
    assert (first.values, len(first.runs), first.finished) == ({"family": "affine"}, 3, 2)
    assert first.figures["accuracy"] == Spread(0.7, 0.5, 0.9, 2)
    assert (first.collapsed, first.observed) == (1, 3)
    assert first.figures["loss"] is None
    # None has finished: that of the one that trains.
    assert (second.finished, second.figures["accuracy"]) == (0, Spread(0.25, 0.25, 0.25, 1))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["finished", "paused", "queued"], "running"),
        (["finished", "queued", "failed"], "queued"),
        (["finished", "stopped", "failed"], "stopped"),
        (["finished", "failed"], "failed"),
        (["finished"], "finished"),
        ([], "finished"),
    ],
)
def test_status_is_that_of_the_run_that_says_most(statuses: list[str], expected: str) -> None:
    assert status_of([member("affine", status=status) for status in statuses]) == expected


def test_csv_has_a_row_for_each_run() -> None:
    values = {"family": "affine", "distortion": {"name": "E", "strength": 0.5}}
    runs = [
        MemberSummary(values, 0, {**UNKNOWN, "id": "a", "status": "finished", "accuracy": 0.5}),
        MemberSummary(
            {"family": "a, b"}, 1, {**UNKNOWN, "id": "b", "status": "failed", "error": 'a "b"'}
        ),
    ]
    text = write_csv(["family", "distortion"], runs)
    header, first, second = csv.reader(text.splitlines())
    assert header == ["run", "family", "distortion", "seed", *CSV_COLUMNS]
    assert first[:5] == ["a", "affine", '{"name": "E", "strength": 0.5}', "0", "finished"]
    assert first[header.index("accuracy")] == "0.5"
    assert (second[1], second[2], second[-1]) == ("a, b", "", 'a "b"')


def test_text_is_no_formula_in_a_spreadsheet() -> None:
    summary = {**UNKNOWN, "id": "a", "status": "failed", "error": "-1 is not a path", "loss": -0.5}
    text = write_csv(["dataset"], [MemberSummary({"dataset": "=1+1"}, 0, summary)])
    [row] = csv.DictReader(text.splitlines())
    assert (row["dataset"], row["error"], row["loss"]) == ("'=1+1", "'-1 is not a path", "-0.5")


def test_band_is_over_the_runs_that_have_an_interval() -> None:
    means = [
        IntervalMeans(
            10, {"interval": [0, 1], "loss": [2.0, 1.0], "accuracy": [None, 0.5]}, span=5
        ),
        IntervalMeans(10, {"interval": [0], "loss": [4.0], "accuracy": [None]}, span=5),
    ]
    assert band(means, "loss") == ([0.5, 1.0], [3.0, 1.0], [2.0, 1.0], [4.0, 1.0])
    assert band(means, "accuracy") == ([1.0], [0.5], [0.5], [0.5])
    assert band([], "loss") == ([], [], [], [])
