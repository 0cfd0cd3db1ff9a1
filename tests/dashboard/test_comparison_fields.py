"""What the form makes of compared values; the fields themselves are tested in the browser."""

from typing import Any

from stnscope.dashboard.comparison_fields import Comparison
from stnscope.dashboard.paper_fields import PaperChoice
from stnscope.dashboard.training_time import run_seconds

CONFIG: dict[str, Any] = {
    "dataset": "digits",
    "architecture": "digits",
    "family": "affine",
    "distortion": {"name": "RTS", "strength": 0.5},
    "seed": 4,
    "epochs": 3,
    "learning_rate": 0.002,
    "weight_decay": 0.5,
}
DEFAULTS = {"epochs": 3, "learning_rate": 0.002, "weight_decay": 0.01}
CATALOG: dict[str, Any] = {
    "datasets": [
        {
            "name": "digits",
            "architecture": "digits",
            "images": 100,
            "repeats": 1,
            "epochs": {"digits": 3, "large": 5},
        }
    ],
    "architectures": [
        {"name": "digits", "relative_cost": 1.0},
        {"name": "large", "relative_cost": 4.0},
    ],
    "defaults": {"dataset": "digits"},
    "images_per_second": 10.0,
    "trainers": 2,
}


def test_compared_fields_are_left_out_of_what_runs_share() -> None:
    comparison = Comparison("a", {"distortion.name": ["P", "E"], "epochs": [1, 2, 3]}, 2)
    assert comparison.sweep(CONFIG, DEFAULTS) == {
        "name": "a",
        "run": {
            "dataset": "digits",
            "architecture": "digits",
            "family": "affine",
            "distortion": {"strength": 0.5},
            "learning_rate": 0.002,
            "weight_decay": 0.5,
        },
        "product": {"distortion.name": ["P", "E"], "epochs": [1, 2, 3]},
        "seeds": [4, 5],
    }
    assert comparison.runs == 12
    assert comparison.missing == ""


def test_compared_networks_have_their_own_defaults() -> None:
    comparison = Comparison("a", {"architecture": ["digits", "large"]}, 1)
    shared = comparison.sweep(CONFIG, DEFAULTS)["run"]
    # What was changed in the form is kept.
    assert shared["weight_decay"] == 0.5
    assert not {"architecture", "epochs", "learning_rate"} & shared.keys()
    seconds = [
        run_seconds(CATALOG, {"dataset": "digits", "architecture": name})
        for name in ("digits", "large")
    ]
    assert seconds == [30.0, 200.0]
    assert comparison.seconds(CATALOG, shared) == sum(seconds) / 2  # at a time


def test_field_without_values_is_named() -> None:
    comparison = Comparison("a", {"epochs": [1], "learning_rate": []}, 3)
    assert comparison.runs == 0
    assert comparison.missing == "Learning rate has no values to compare yet."


def test_published_table_is_trained_as_a_whole_or_a_row_of_it() -> None:
    rows = [
        {
            "name": f"row-{name}",
            "title": f"Row {name}",
            "config": {"dataset": "digits", "architecture": name},
        }
        for name in ("digits", "large")
    ]
    group = {"name": "table", "title": "A table", "rows": rows}
    whole = PaperChoice(group, None, 3, "cpu")
    assert whole.sweep() == {
        "name": "A table",
        "table": "table",
        "run": {"device": "cpu"},
        "seeds": 3,
    }
    assert (whole.runs, whole.datasets, whole.seconds(CATALOG)) == (6, ["digits"], 345.0)
    row = PaperChoice(group, "row-large", 1, "cuda")
    assert (row.sweep()["name"], row.sweep()["table"], row.runs) == ("Row large", "row-large", 1)
