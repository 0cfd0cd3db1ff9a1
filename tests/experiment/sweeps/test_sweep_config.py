"""The runs of a sweep: which there are, and how what is wrong is named."""

import functools
from typing import Any

import pytest
from pydantic import ValidationError

from stnscope.backend.experiment.catalog.distortions import PREPROCESSINGS
from stnscope.backend.experiment.config import DistortionConfig, ProbesConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import MAX_NAME_LENGTH, MAX_SWEEP_RUNS
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES
from stnscope.backend.experiment.reproduction.row_groups import GROUPS, find_recipes
from stnscope.backend.experiment.reproduction.sign_networks import COMMITTEE
from stnscope.backend.experiment.sweeps.sweep_config import (
    SweepConfig,
    SweepRun,
    expand,
    published_sweep,
)


def runs_of(**sweep: Any) -> list[SweepRun]:
    return expand(SweepConfig.model_validate({"name": "a sweep", **sweep}))


def test_every_combination_is_trained_with_each_seed() -> None:
    runs = runs_of(
        run={"epochs": 2, "probes": {"moving": True}},
        product={"family": ["affine", "scale"], "probes.count": [4, 8]},
        seeds=2,
    )
    assert [(run.values["family"], run.values["probes.count"], run.seed) for run in runs] == [
        (family, count, seed)
        for family in ("affine", "scale")
        for count in (4, 8)
        for seed in (0, 1)
    ]
    config = runs[2].config()
    assert (config.family, config.epochs, config.seed) == ("affine", 2, 0)
    assert config.probes == ProbesConfig(count=8, moving=True)
    assert runs[3].title == "affine, count 8, seed 1"


def test_nested_tables_are_paths() -> None:
    assert [run.fields for run in runs_of(product={"probes": {"count": [4, 8]}})] == [
        {"probes": {"count": 4}, "seed": 0},
        {"probes": {"count": 8}, "seed": 0},
    ]


def test_lists_of_zip_go_together_and_combine_with_the_others() -> None:
    runs = runs_of(
        product={"epochs": [1, 2]},
        zip=[{"optimiser": ["adamw", "sgd"], "learning_rate": [0.002, 0.02]}],
        seeds=[7],
    )
    assert [(run.values["epochs"], run.values["optimiser"]) for run in runs] == [
        (1, "adamw"), (1, "sgd"), (2, "adamw"), (2, "sgd"),
    ]  # fmt: skip
    assert {run.values["learning_rate"] for run in runs if run.values["optimiser"] == "sgd"} == {
        0.02
    }
    assert {run.seed for run in runs} == {7}


def test_distortion_has_a_name_and_a_strength_apart_or_together() -> None:
    whole = runs_of(product={"distortion": ["RTS", {"name": "E", "strength": 0.5}]})
    assert [run.config().distortion for run in whole] == [
        DistortionConfig(name="RTS"),
        DistortionConfig(name="E", strength=0.5),
    ]
    assert [run.title for run in whole] == ["RTS, seed 0", "E 0.5, seed 0"]
    apart = runs_of(run={"distortion": "E"}, product={"distortion.strength": [0.2, 1.0]})
    assert [run.config().distortion for run in apart] == [
        DistortionConfig(name="E", strength=0.2),
        DistortionConfig(name="E"),
    ]


def test_rows_of_a_published_table_have_their_recipes() -> None:
    runs = runs_of(table="mnist-rts", run={"threads": 2, "probes": {"count": 4}}, seeds=[3, 5])
    rows = [row for row in ROWS.values() if row.table == "mnist" and row.data == "RTS"]
    assert [(run.values, run.seed) for run in runs] == [
        ({"row": row.name}, seed) for row in rows for seed in (3, 5)
    ]
    for run, row in zip(runs[::2], rows, strict=True):
        changed = {"threads": 2, "seed": 3, "probes": ProbesConfig(count=4)}
        assert run.config() == row.config.model_copy(update=changed)
    assert runs[0].title == "mnist-rts-fcn, seed 3"


def test_every_row_is_in_a_table_and_is_one_by_itself() -> None:
    for name in ROWS:
        [recipe] = find_recipes(name)
        assert recipe.name == name
    in_tables = {each.name for name in TABLES for each in GROUPS[name].rows}
    assert in_tables == ROWS.keys()


def test_committee_has_five_preprocessings_with_five_seeds() -> None:
    runs = expand(published_sweep("idsia-committee"))
    assert len(runs) == COMMITTEE
    assert {run.config().distortion.name for run in runs} == {
        "RTS",
        *(f"RTS+{name}" for name in PREPROCESSINGS),
    }


def test_many_values_are_refused_at_once() -> None:
    """A comparison of each with each would take minutes."""
    with pytest.raises(InvalidInput, match="has 100,000 runs"):
        runs_of(product={"epochs": list(range(100_000))})


def test_names_of_runs_are_as_long_as_names_may_be() -> None:
    [run] = runs_of(run={}, product={"dataset": ["x" * 64]})
    assert len(run.name) == MAX_NAME_LENGTH
    assert run.title.endswith("seed 0")


def nested(inner: dict[str, Any], _: int) -> dict[str, Any]:
    return {"a": inner}


@pytest.mark.parametrize(
    ("sweep", "field", "message"),
    [
        ({"product": {"family": "affine"}}, "product.family", "a list of values"),
        ({"product": {"family": []}}, "product.family", "a list of values"),
        ({"product": {"epochs": [1, 2, 1]}}, "product.epochs", "the value 1 twice"),
        ({"run": {"epochs": 1}, "product": {"epochs": [2, 3]}}, "product.epochs", "set twice"),
        ({"zip": [{"epochs": [1]}, {"epochs": [2]}]}, "zip.1.epochs", "zip.0.epochs and zip.1"),
        ({"zip": [{"epochs": [1, 2], "family": ["scale"]}]}, "zip.0", "epochs has 2, family has 1"),
        ({"zip": [{}]}, "zip.0", "no fields"),
        ({"product": {"seed": [1, 2]}}, "product.seed", "Seeds are set by seeds"),
        ({"run": {"seed": 1}}, "run.seed", "Seeds are set by seeds"),
        ({"seeds": [1, 1]}, "seeds", "a seed twice"),
        ({"table": "mnis"}, "table", "no published table or row 'mnis'; the tables are mnist,"),
        ({"table": "mnist", "run": {"epochs": 1}}, "run.epochs", "part of the recipes"),
        ({"table": "mnist", "run": {"distortion": "E"}}, "run.distortion", "part of the recipes"),
        (
            {"table": "mnist", "product": {"distortion.strength": [0.5]}},
            "product.distortion.strength",
            "part of the recipes",
        ),
        ({"table": "mnist", "product": {"row": ["a"]}}, "product.row", "table and product.row"),
        (
            {"run": functools.reduce(nested, range(2000), dict[str, Any]())},
            "run",
            "nested too deeply",
        ),
        (
            {"product": {"epochs": [1, 2]}, "seeds": MAX_SWEEP_RUNS},
            "seeds",
            f"has 1,000 runs, 2 of product.epochs x {MAX_SWEEP_RUNS} of seeds; at most",
        ),
        (
            {"run": {"probes": 3}, "product": {"probes.count": [1]}},
            "product.probes.count",
            "probes as a whole too",
        ),
        (
            {"product": {"distortion": [{"strength": 1.0}], "distortion.strength": [0.5]}},
            "product.distortion.strength",
            "distortion.strength is set twice",
        ),
    ],
)
def test_what_is_no_sweep_is_refused_with_its_place(
    sweep: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        runs_of(**sweep)
    assert refused.value.field == field
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("sweep", "field", "message"),
    [
        ({"product": {"epochs": [1, 0]}}, "product.epochs", "epochs must be at least 1"),
        ({"product": {"familie": ["affine"]}}, "product.familie", "There is no field familie"),
        ({"run": {"probes": {"count": 99}}}, "run.probes.count", "probes.count must be"),
        ({"run": {"distortion": {"strenght": 1}}}, "run.distortion.strenght", "There is no field"),
        ({"zip": [{"batch_size": ["64"]}]}, "zip.0.batch_size", "a whole number"),
    ],
)
def test_what_is_no_run_is_refused_with_its_place(
    sweep: dict[str, Any], field: str, message: str
) -> None:
    runs = runs_of(**sweep)
    with pytest.raises(InvalidInput) as refused:
        _ = [run.config() for run in runs]
    assert refused.value.field == field
    assert message in str(refused.value)


@pytest.mark.parametrize("seeds", [0, -1, True, 1.5, [], "3", MAX_SWEEP_RUNS + 1, [2**31], [0.5]])
def test_seeds_are_a_number_or_a_list(seeds: Any) -> None:
    with pytest.raises(ValidationError):
        SweepConfig(name="a sweep", seeds=seeds)


def test_number_of_seeds_means_those_from_0_on() -> None:
    counted = SweepConfig.model_validate({"name": "a sweep", "seeds": 3})
    assert counted == SweepConfig(name="a sweep", seeds=[0, 1, 2])
    assert SweepConfig.model_validate_json(counted.model_dump_json()) == counted
