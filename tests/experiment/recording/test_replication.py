"""A recording that is kept equal to one elsewhere, in parts, repeatedly and after a resume."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stnscope.backend.experiment.catalog import steps_per_epoch
from stnscope.backend.experiment.config import ProbesConfig, RunConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.recording import replication
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording
from stnscope.backend.experiment.recording.replication import (
    COLUMNS,
    TRAINED,
    MissingInput,
    NewRows,
    Position,
    add_rows,
    follows,
    last_step_row,
    new_rows,
    position,
    seed,
)
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.experiment.runs.session import record
from tests.experiment.scripted import Script, assert_same_training

CONFIG = RunConfig(epochs=1, batch_size=8, probes=ProbesConfig(count=2, moving=True), seed=3)
STOP = {"action": "stop"}
RATE = {"settings": {"learning_rate": 0.003}}


def new_run(folder: Path) -> Path:
    path = folder / f"run{SUFFIX}"
    folder.mkdir(exist_ok=True)
    create(path, config=CONFIG, steps_per_epoch=steps_per_epoch(CONFIG, DATASETS[CONFIG.dataset]))
    return path


def seeded(recording: Path, folder: Path) -> Path:
    """Return the recording on the other machine."""
    folder.mkdir()
    other = folder / recording.name
    with RecordingWriter.open(recording) as writer:
        other.write_bytes(seed(writer))
    return other


def replicate(source: Path, target: Path) -> list[NewRows]:
    """Copy all that is new, part by part; return the parts."""
    parts: list[NewRows] = []
    sent: set[str] = set()
    with Recording.open(source) as trainer, RecordingWriter.open(target) as writer:
        while not parts or not parts[-1].run:
            parts.append(new_rows(trainer, position(writer), sent))
            with writer.transaction():
                add_rows(writer, parts[-1])
    return parts


def rows(recording: Path, after: Position | None = None) -> dict[str, Any]:
    """Return all rows of a recording; those before a position are not compared."""
    found: dict[str, Any] = {}
    with Recording.open(recording) as opened:
        for table, names in COLUMNS.items():
            last = after.seqs.get(table, 0) if after else 0
            selection = f" WHERE seq > {last} ORDER BY seq" if "seq" in names else " ORDER BY 1"
            found[table] = opened.connection.execute(
                f"SELECT {', '.join(names)} FROM {table}{selection}"
            ).fetchall()
        found["run"] = opened.connection.execute(f"SELECT {', '.join(TRAINED)} FROM run").fetchall()
    return found


def test_copy_in_small_parts_has_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replication, "MAX_BYTES", 1)
    monkeypatch.setattr(replication, "MAX_ROWS", 5)
    here = new_run(tmp_path / "here")
    there = seeded(here, tmp_path / "there")
    assert record(there, Script(12, RATE, STOP)) == "stopped"
    parts = replicate(there, here)
    assert len(parts) > 2
    assert rows(here) == rows(there)


def test_rows_that_are_added_again_change_nothing(tmp_path: Path) -> None:
    here = new_run(tmp_path / "here")
    there = seeded(here, tmp_path / "there")
    record(there, Script(6, STOP))
    parts = replicate(there, here)
    before = rows(here)
    with RecordingWriter.open(here) as writer, writer.transaction():
        for part in parts:
            add_rows(writer, part)
    assert rows(here) == before


def test_run_that_resumes_elsewhere_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    here = new_run(tmp_path / "here")
    first = seeded(here, tmp_path / "first")
    assert record(first, Script(9, RATE, {"action": "detach"})) == "interrupted"
    replicate(first, here)
    second = seeded(here, tmp_path / "second")
    with Recording.open(here) as opened:
        known = position(opened)
    assert record(second, Script(5, STOP)) == "stopped"
    replicate(second, here)
    there = rows(second, known)
    assert rows(here, known)["steps"] == there["steps"]
    assert rows(here, known)["frames"] == there["frames"]
    whole = new_run(tmp_path / "whole")
    record(whole, Script(9, RATE, 5, STOP))
    assert_same_training(here, whole)


def test_frame_whose_input_was_dropped_is_requested_with_it(tmp_path: Path) -> None:
    here = new_run(tmp_path / "here")
    there = seeded(here, tmp_path / "there")
    record(there, Script(3, STOP))
    with Recording.open(there) as trainer, RecordingWriter.open(here) as writer:
        keys = {key for (key,) in trainer.connection.execute("SELECT key FROM inputs")}
        without = new_rows(trainer, position(writer), set(keys))
        with pytest.raises(MissingInput), writer.transaction():
            add_rows(writer, without)
        assert writer.summary()["frames"] == 0
        with writer.transaction():
            add_rows(writer, new_rows(trainer, position(writer), set()))
    assert rows(here) == rows(there)


def test_run_that_was_trained_here_meanwhile_does_not_follow(tmp_path: Path) -> None:
    here = new_run(tmp_path / "here")
    there = seeded(here, tmp_path / "there")
    with Recording.open(there) as trainer:
        begin = position(trainer)
    record(there, Script(6, STOP))
    with Recording.open(there) as trainer, Recording.open(here) as opened:
        assert follows(trainer, begin, last_step_row(opened))
    replicate(there, here)
    with Recording.open(there) as trainer, Recording.open(here) as opened:
        last = last_step_row(opened)
        assert last is not None
        assert follows(trainer, begin, last)
        seq, step, time = last
        assert not follows(trainer, begin, (seq, step, time + 1))
        assert not follows(trainer, begin, (seq + 5, step + 5, time))
        ahead = replace(begin, seqs=begin.seqs | {"steps": seq + 1})
        assert not follows(trainer, ahead, last)
