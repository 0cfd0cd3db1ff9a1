"""A row of a published table, trained and evaluated to its end by the command."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any, cast

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.catalog import validate
from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.data import mnist
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.recording.records import Change
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.experiment.reproduction.paper_tables import ROWS, TABLES, Row
from stnscope.backend.experiment.reproduction.reproduce import (
    checkpoint_folder,
    evaluate_run,
    reproduce,
)
from stnscope.backend.experiment.reproduction.results import read_results
from stnscope.backend.experiment.reproduction.segment import CHECKPOINT, LOCK
from stnscope.backend.experiment.runs.controls import NoControls
from stnscope.backend.experiment.runs.session import record
from stnscope.backend.experiment.sweeps.sweep_config import published_sweep
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.sweeps import Sweep, Sweeps
from stnscope.models.catalog import ARCHITECTURES
from tests.conftest import TrainedRun
from tests.experiment import sample_data
from tests.forking import RUN_CODE
from tests.timeouts import TIMEOUT_SECONDS

pytestmark = pytest.mark.seconds

ROW = "tensorflow-40"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with as many cluttered digits as a step of the row takes."""
    folder = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(3)
    count = ROWS[ROW].config.batch_size
    sample_data.write_cluttered(
        folder / "cluttered_mnist_40",
        X_train=generator.random((count, 1600), dtype=np.float32),
        y_train=np.arange(count, dtype=np.int32)[:, None] % 10,
    )
    return folder


def command(folder: Path, data: Path, *more: str) -> list[str]:
    return ["reproduce", ROW, "--folder", str(folder), "--data", str(data), *more]


def read_result(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / f"{ROW}.json").read_text())
    return result


def move_checkpoint(path: Path, step: int) -> None:
    """Make a checkpoint one of a later step."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    state = load_file(path)
    state["training"][0] = step
    save_file(state, path, metadata)


def test_rows_fit_their_data_sets() -> None:
    for row in ROWS.values():
        validate(row.config, DATASETS[row.config.dataset])
        assert row.table in TABLES
        has_transformer = ARCHITECTURES[row.config.architecture].transformers > 0
        assert has_transformer or row.config.family == "affine"
    assert ROWS["mnist-rts-st-cnn-tps"].config.family == "spline-4"
    assert ROWS["mnist-tc-cnn"].config.architecture == "paper-cnn-60"


KILLED = """
import dataclasses, os, signal, sys
from pathlib import Path
from stnscope.backend.experiment.reproduction import segment
from stnscope.backend.experiment.reproduction.reproduce import reproduce
from stnscope.backend.experiment.reproduction.paper_tables import ROWS

row, config = ROWS[sys.argv[1]], ROWS[sys.argv[1]].config.model_copy(update={"epochs": 8})
ROWS[row.name] = dataclasses.replace(row, config=config)

def report(progress):
    if progress.step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

segment.CHECKPOINT_SECONDS = 0.0
reproduce(sys.argv[1], 4, Path(sys.argv[2]), Path(sys.argv[3]), report=report)
"""


def test_killed_training_resumes_to_the_same_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, config = ROWS[ROW], ROWS[ROW].config.model_copy(update={"epochs": 8})
    monkeypatch.setitem(cast("dict[str, Row]", ROWS), ROW, replace(row, config=config))
    whole = reproduce(ROW, 4, tmp_path / "whole", data)
    assert whole is not None
    assert whole.result.complete
    killed = tmp_path / "killed"
    arguments = [*RUN_CODE, KILLED, ROW, str(killed), str(data)]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    assert not (killed / f"{ROW}.json").exists()
    steps: list[int] = []
    resumed = reproduce(ROW, 4, killed, data, report=lambda progress: steps.append(progress.step))
    assert resumed is not None
    assert steps[0] == 4, "it goes on where it was killed"
    assert resumed.result.errors == whole.result.errors
    expected, found = (
        load_file(checkpoint_folder(folder, ROW, 4) / CHECKPOINT)
        for folder in (tmp_path / "whole", killed)
    )
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_training_ends_with_its_command(data: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "stnscope", *command(tmp_path, data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "epoch 1/100" in line
    assert "left" in line
    process.kill()
    process.wait()
    process.stdout.close()
    checkpoints = checkpoint_folder(tmp_path, ROW, 0)
    with FileLock(checkpoints / LOCK, timeout=TIMEOUT_SECONDS):
        assert (checkpoints / CHECKPOINT).exists()


def test_what_is_cut_short_says_so_and_is_completed_by_the_same_command(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce(ROW, 0, tmp_path, data, should_stop=lambda: True) is None
    assert not (tmp_path / f"{ROW}.json").exists()
    move_checkpoint(checkpoint_folder(tmp_path, ROW, 0) / CHECKPOINT, step=98)
    assert main(command(tmp_path, data, "--minutes", "1e-9")) == 1
    printed = capsys.readouterr().out
    assert "cut short  in epoch 99 of 100" in printed
    cut = read_result(tmp_path)
    assert (cut["complete"], cut["runs"][0]["step"], cut["runs"][0]["steps"]) == (False, 99, 100)
    assert main(command(tmp_path, data)) == 0
    printed = capsys.readouterr().out
    complete = read_result(tmp_path)
    run = complete["runs"][0]
    assert (complete["complete"], run["step"], run["epoch"], len(complete["runs"])) == (
        *(True, 100, 100, 1),
    )
    assert run["error"] == run["errors"] / 20
    assert run["images_per_second"] > 0
    assert run["machine"]["threads"] == 1
    assert printed.splitlines()[-1] == f"accuracy {1 - run['error']:.4f}"
    assert read_results(tmp_path).unreadable == ()


def test_several_seeds_give_a_spread(data: Path, tmp_path: Path) -> None:
    for seed in range(2):
        reproduce(ROW, seed, tmp_path, data, minutes=0)
    result = read_results(tmp_path).rows[ROW]
    first, second = (run.error for run in result.runs)
    assert result.error == (first + second) / 2
    assert result.spread == pytest.approx(abs(first - second) / 2**0.5)
    assert not result.complete


def test_rows_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "--list"]) == 0
    printed = capsys.readouterr().out
    for row in ROWS.values():
        assert f"  {row.name} " in printed
        assert row.published in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reproduce"], "Name a row"),
        (["reproduce", "mnist-rts-st-cnn-afine"], "Did you mean mnist-rts-st-cnn-affine?"),
        (["reproduce", ROW, "--seed", "-1"], "seed"),
        (["reproduce", ROW, "--threads", "65"], "threads"),
        (["reproduce", ROW, "--data", "none"], "is not available"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--home", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


SMALL_ROW = "pytorch-tutorial"


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with as many digits as a step of `SMALL_ROW` takes."""
    counts = {"train": ROWS[SMALL_ROW].config.batch_size, "t10k": 20}
    sample_data.write_mnist(tmp_path / "data" / "mnist", counts)
    monkeypatch.setattr(mnist, "COUNTS", counts)
    # Where a run is created, its images are not counted but known.
    entry = replace(DATASETS["mnist"], images=counts["train"], held_out=counts["t10k"])
    monkeypatch.setitem(DATASETS, entry.name, entry)
    return tmp_path / "data"


@pytest.fixture
def finished_sweep(digits: Path, tmp_path: Path) -> tuple[Sweeps, Sweep]:
    """A sweep of the row with two seeds, the first of which is trained to its end."""
    sweeps = Sweeps(Runs(tmp_path / "home" / "recordings", data=digits))
    config = published_sweep(SMALL_ROW, seeds=2)
    sweep = sweeps.create(config, sweeps.plan(config))
    assert record(sweeps.runs.path(sweep.runs[0].id), NoControls(), data=digits) == "finished"
    return sweeps, sweep


def test_sweep_of_a_row_has_the_result_of_the_row(
    digits: Path,
    tmp_path: Path,
    finished_sweep: tuple[Sweeps, Sweep],
    trained_run: TrainedRun,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sweeps, sweep = finished_sweep
    first, second = (sweeps.runs.path(run.id) for run in sweep.runs)
    folder = tmp_path / "results"
    arguments = ["reproduce", "--from-sweep", sweep.id, "--home", str(tmp_path / "home")]
    arguments += ["--folder", str(folder), "--data", str(digits)]
    found = evaluate_run(SMALL_ROW, first, folder, digits).result
    expected = reproduce(SMALL_ROW, 0, tmp_path / "other", digits)
    assert expected is not None
    other = {"seconds", "images_per_second", "evaluation_milliseconds", "command"}
    assert found.model_dump(exclude=other) == expected.result.model_dump(exclude=other)
    assert found.seconds > 0
    assert found.command == f"stnscope sweep --table {SMALL_ROW} --seeds 1 --threads 1"
    assert read_results(folder).rows[SMALL_ROW].runs == [found]
    assert main(arguments) == 1, "one of its runs has not finished"
    assert capsys.readouterr().out.splitlines() == [
        f"{SMALL_ROW}, seed 0: has a result already",
        f"{SMALL_ROW}, seed 1: queued",
    ]
    copy(trained_run.recording, second)
    assert main(arguments) == 1
    assert "has another configuration than row" in capsys.readouterr().out


def test_run_that_is_no_training_of_a_row_has_no_result_of_it(
    digits: Path, tmp_path: Path, finished_sweep: tuple[Sweeps, Sweep]
) -> None:
    sweeps, sweep = finished_sweep
    first, second = (sweeps.runs.path(run.id) for run in sweep.runs)
    with pytest.raises(Conflict, match="has not finished: queued"):
        evaluate_run(SMALL_ROW, second, tmp_path, digits)
    with pytest.raises(InvalidInput, match="another configuration than row mnist-rts-cnn"):
        evaluate_run("mnist-rts-cnn", first, tmp_path, digits)
    with RecordingWriter.open(first) as writer:
        writer.add_change(Change(3, 0, SettingsChange(slow_motion=0.0)))
        writer.add_change(Change(3, 0, SettingsChange(learning_rate=0.5)))
    with pytest.raises(InvalidInput, match="its learning rates were changed"):
        evaluate_run(SMALL_ROW, first, tmp_path, digits)
    assert not (tmp_path / f"{SMALL_ROW}.json").exists()
