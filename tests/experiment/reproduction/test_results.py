"""Result files: what is read of them, and the tables with the published figures beside them."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from stnscope.backend.experiment.reproduction.evaluation import count_multiply_adds
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES
from stnscope.backend.experiment.reproduction.result_tables import (
    OTHER_RECIPE,
    ResultTables,
    RowFigure,
    TableRow,
    build_tables,
)
from stnscope.backend.experiment.reproduction.results import (
    KEPT,
    MAX_BYTES,
    EvaluationResult,
    InvarianceResult,
    read_results,
)
from stnscope.backend.experiment.reproduction.sign_networks import COMMITTEE, NETWORKS
from stnscope.models.architectures import build
from stnscope.models.cards import FOLDER, SUFFIX, cards
from tests.experiment.result_files import write_evaluation, write_seed
from tests.source_files import ROOT
from tools.results_page import results_page

RTS, TC = "mnist-rts-st-cnn-affine", "mnist-tc-cnn"


def find_row(tables: ResultTables, name: str) -> TableRow:
    [found] = [row for table in tables.tables for row in table.rows if row.name == name]
    return found


def all_figures(tables: ResultTables) -> list[RowFigure]:
    return [figure for table in tables.tables for row in table.rows for figure in row.figures]


def test_kept_files_are_readable_and_of_the_weights_that_ship() -> None:
    kept = read_results(KEPT)
    assert kept.unreadable == ()
    results: dict[str, EvaluationResult | InvarianceResult] = {**kept.evaluations}
    # Other weights were only trained for the comparison.
    results |= {n: each for n, each in kept.invariances.items() if each.weights in cards()}
    for name, result in results.items():
        assert result.weights in cards(), f"{name}: no such weights ship; remove the file"
        weights = FOLDER / f"{result.weights}{SUFFIX}"
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        folder = KEPT.relative_to(KEPT.parents[3])
        assert result.digest == digest, (
            f"{name} is of other weights; repeat `{result.command} --folder {folder}`, make docs"
        )


def test_tables_have_every_published_row_without_any_file(tmp_path: Path) -> None:
    tables = build_tables(kept=tmp_path)
    rows = [row.name for table in tables.tables for row in table.rows]
    assert rows == [name for name, row in ROWS.items() if row.table != "gtsrb"]
    assert [table.name for table in tables.tables] == [name for name in TABLES if name != "gtsrb"]
    assert tables.signs.published == NETWORKS
    assert (tables.signs.ours, tables.evaluations, tables.unreadable) == ((), (), ())
    assert all_figures(tables) == []
    mnist = tables.tables[0]
    assert mnist.columns == ("R", "RTS", "P", "E", "TC")
    assert {row.data for row in mnist.rows} == {*mnist.columns}
    assert all(table.columns == () for table in tables.tables[1:])


def test_mean_spread_and_seeds_are_those_of_the_file(tmp_path: Path) -> None:
    for seed, errors in enumerate((40, 44, 48)):
        write_seed(tmp_path, RTS, errors, seed)
    [figure] = find_row(build_tables(kept=tmp_path), RTS).figures
    assert figure.value == pytest.approx(0.44)
    assert figure.spread == pytest.approx(0.04)
    assert (figure.seeds, figure.complete, figure.notes) == (3, True, ())
    assert figure.command == f"stnscope reproduce {RTS} --seeds 3"
    write_seed(tmp_path, "lasagne-60", 380, seed=7)
    [accuracy] = find_row(build_tables(kept=tmp_path), "lasagne-60").figures
    assert accuracy.value == pytest.approx(96.2)
    assert accuracy.command == "stnscope reproduce lasagne-60 --seed 7"


def test_what_was_cut_short_says_so(tmp_path: Path) -> None:
    write_seed(tmp_path, TC, 300, epochs=12)
    [figure] = find_row(build_tables(kept=tmp_path), TC).figures
    assert not figure.complete
    assert figure.notes == ("cut short after 12 of 40 epochs",)
    write_seed(tmp_path, TC, 320, seed=1)
    [figure] = find_row(build_tables(kept=tmp_path), TC).figures
    assert figure.notes == ("seed 0 cut short after 12 of 40 epochs",)
    assert "(seed 0 cut short after 12 of 40 epochs)" in results_page(build_tables(kept=tmp_path))


def test_another_recipe_than_the_present_one_is_named(tmp_path: Path) -> None:
    write_seed(tmp_path, RTS, 40, learning_rate=0.5)
    [figure] = find_row(build_tables(kept=tmp_path), RTS).figures
    assert figure.notes == (OTHER_RECIPE,)


def test_files_of_a_home_are_beside_those_that_are_kept(tmp_path: Path) -> None:
    kept, home = tmp_path / "kept", tmp_path / "home"
    write_seed(kept, RTS, 40)
    write_seed(home, RTS, 60, seed=1)
    figures = find_row(build_tables(home, kept), RTS).figures
    assert [(figure.origin, figure.result.runs[0].seed) for figure in figures] == [
        ("stnscope", 0),
        ("home", 1),
    ]


def test_sign_networks_are_rows_and_undistorted_evaluations(tmp_path: Path) -> None:
    write_seed(tmp_path, "gtsrb-vgg", 90)
    write_evaluation(tmp_path, "mine", 25)
    write_evaluation(tmp_path, "mine", 900, distortion="scene")
    write_evaluation(tmp_path, "other", 5, dataset="signs")
    tables = build_tables(kept=tmp_path)
    assert len(tables.evaluations) == 3, "one for each distortion"
    row, weights = tables.signs.ours
    assert (row.name, row.images, row.kind) == ("gtsrb-vgg", 10_000, "images of held-out tracks")
    assert row.value == pytest.approx(99.1)
    assert (weights.name, weights.images, weights.kind) == ("mine", 10_000, row.kind)
    assert weights.value == pytest.approx(99.75)
    assert not weights.augmentation


def change(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def change_run(path: Path, **fields: Any) -> None:
    """Change a row's only run, and the mean with it."""
    stored = json.loads(path.read_text())
    stored["runs"][0] |= fields
    stored |= {name: fields[name] for name in ("error", "complete") if name in fields}
    path.write_text(json.dumps(stored))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is not a result"),
        (lambda path: path.write_bytes(b"\xff\xfe"), "is not a result"),
        (lambda path: path.write_text("[" * 100_000), "is not a result"),
        (lambda path: path.write_text("[]"), "is not a result"),
        (lambda path: path.write_text('{"a": "\\ud800"}'), "is not a result"),
        (lambda path: path.write_bytes(b" " * (MAX_BYTES + 1)), "too large"),
        (lambda path: change(path, format=2), "is not a result"),
        (lambda path: change(path, row=TC), "is of a row"),
        (lambda path: change(path, error=0.001), "has a mean or spread"),
        (lambda path: change_run(path, error=0.001), "its errors by its labels"),
        (lambda path: change_run(path, labels=0), "is not a result"),
        (lambda path: change_run(path, step=10), "has the wrong value for whether it is complete"),
        (
            lambda path: change_run(
                path, config=ROWS["mnist-r-cnn"].config.model_dump(mode="json")
            ),
            "is of another network",
        ),
    ],
    ids=range(13),
)
def test_damaged_row_costs_no_other_one(tmp_path: Path, damage: Any, reason: str) -> None:
    write_seed(tmp_path, TC, 300)
    damage(write_seed(tmp_path, RTS, 40))
    tables = build_tables(home=tmp_path, kept=tmp_path / "none")
    [unreadable] = tables.unreadable
    assert (unreadable.origin, unreadable.name) == ("home", f"{RTS}.json")
    assert reason in unreadable.reason
    assert len(all_figures(tables)) == 1


def test_what_is_no_result_file_is_named(tmp_path: Path) -> None:
    write_seed(tmp_path, TC, 300)
    change(write_evaluation(tmp_path, "mine", 25), accuracy=0.999)
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    (tmp_path / os.fsdecode(b"caf\xe9.json")).write_text("{}")
    (tmp_path / "notes.txt").write_text("no JSON")
    tables = build_tables(home=tmp_path, kept=tmp_path / "none")
    reasons = {file.name: file.reason for file in tables.unreadable}
    assert len(reasons) == 5
    json.dumps(reasons).encode()
    assert "accuracy that is not that of its errors" in reasons["evaluation-mine-gtsrb.json"]
    assert {reasons[f"{name}.json"] for name in ("folder", "pipe", "gone")} == {
        f"{name}.json is not a file." for name in ("folder", "pipe", "gone")
    }
    assert len(all_figures(tables)) == 1


def test_page_has_no_figure_without_a_file(tmp_path: Path) -> None:
    assert "**" not in results_page(build_tables(kept=tmp_path))
    write_seed(tmp_path, RTS, 40)
    page = results_page(build_tables(kept=tmp_path))
    assert page.count("**0.40**") == page.count("**") // 2 == 1
    assert "| ST-CNN, affine | 0.7 | 0.5, **0.40** | 0.8 | 1.2 | 1.7 |" in page
    assert f"`stnscope reproduce {RTS}`" in page


def test_evaluations_that_are_kept_have_their_command() -> None:
    for result in read_results(KEPT).evaluations.values():
        assert isinstance(result, EvaluationResult)
        assert result.command.startswith(f"stnscope evaluate --weights {result.weights} ")
        assert str(ROOT) not in result.model_dump_json()


@pytest.mark.seconds
def test_published_costs_are_those_of_the_networks() -> None:
    photo = torch.zeros(1, 3, 48, 48)
    counted = {
        name: count_multiply_adds(build(name), photo)
        for name in ("moodstocks-2st", "moodstocks-st", "moodstocks")
    }
    assert [network.multiply_adds for network in NETWORKS] == [
        COMMITTEE * count_multiply_adds(build("idsia"), photo),
        *counted.values(),
        None,
    ]
