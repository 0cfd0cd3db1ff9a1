"""Recordings store steps and frames, have a lock, and can be copied while they are written."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import (
    Conflict,
    InsufficientStorage,
    NotFound,
    RecordingError,
)
from stnscope.backend.experiment.frames.frame import Array, Frame
from stnscope.backend.experiment.recording import writer as writer_module
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording, copy_recording
from stnscope.backend.experiment.recording.records import Checkpoint
from stnscope.backend.experiment.recording.schema import SCHEMA_VERSION
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from tests.experiment.recording.older_versions import TO_VERSION_1
from tests.forking import RUN_CODE
from tests.watched_run import write_watched_run

PER_EPOCH = 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / f"run{SUFFIX}"
    create(path, config=RunConfig(epochs=2), steps_per_epoch=PER_EPOCH)
    return path


def frame(step: int, *, shade: int = 0, lap: int | None = None) -> Frame:
    info = {"protocol": 1, "step": step, "transformers": []} | ({} if lap is None else {"lap": lap})
    tensors: dict[str, Array] = {
        "input": np.full((2, 4, 4, 1), shade, np.uint8),
        "probabilities": np.full((2, 3), step, np.float32),
    }
    return Frame(info, tensors)


def write(path: Path, *frames: Frame) -> None:
    with RecordingWriter.open(path) as writer, writer.transaction():
        for new_frame in frames:
            writer.add_frame(new_frame, attempt=0, kept=False)


def test_create_writes_a_queued_run(path: Path) -> None:
    with Recording.open(path) as opened:
        run = opened.summary()
    assert (run["id"], run["status"], run["step"], run["epoch"]) == ("run", "queued", 0, 1)
    assert (run["steps"], run["steps_per_epoch"], run["frames"]) == (40, 20, 0)
    assert run["config"] == RunConfig(epochs=2).model_dump(mode="json")


def test_create_refuses_an_existing_path(path: Path) -> None:
    with pytest.raises(Conflict, match="already"):
        create(path, config=RunConfig(), steps_per_epoch=PER_EPOCH)


@pytest.mark.parametrize(
    ("requested", "expected"), [(-5, 3), (0, 3), (3, 3), (6, 3), (7, 7), (99, 7)]
)
def test_frame_returns_the_nearest_at_or_before_a_step_else_the_first(
    path: Path, requested: int, expected: int
) -> None:
    write(path, frame(3), frame(7))
    with Recording.open(path) as opened:
        nearest = opened.frame(requested)
    assert nearest.info["step"] == expected
    assert nearest.tensors["input"].shape == (2, 4, 4, 1)


def test_frame_of_an_empty_recording_raises_not_found(path: Path) -> None:
    with Recording.open(path) as opened, pytest.raises(NotFound, match="step 0"):
        opened.frame(0)


def test_equal_inputs_are_stored_once(path: Path) -> None:
    write(path, frame(0, shade=9), frame(1, shade=9), frame(2, shade=7))
    with RecordingWriter.open(path) as writer:
        assert writer.connection.execute("SELECT count(*) FROM inputs").fetchone() == (2,)
        assert (writer.frame(1).tensors["input"] == 9).all()
        assert (writer.frame(2).tensors["input"] == 7).all()


def test_repeated_step_replaces_its_rows_with_newer_ones(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        for attempt, loss in [(0, 1.0), (1, 2.0)]:
            writer.add_step(5, attempt, {"loss": loss})
            writer.add_frame(frame(5), attempt=attempt, kept=False)
        newest = writer.newest_frame()
        assert newest is not None
        assert (newest.ref.seq, newest.ref.step) == (2, 5)
        assert writer.metrics()["loss"] == [2.0]
        assert len(writer.frames()) == 1
        assert writer.new_metrics(writer.metrics()["seq"][0])["step"] == []


def test_frames_of_a_lap_follow_the_frame_of_their_step(path: Path) -> None:
    write(path, frame(4), frame(4, lap=0), frame(4, lap=1))
    with Recording.open(path) as opened:
        assert [(ref.step, ref.lap) for ref in opened.frames()] == [(4, None), (4, 0), (4, 1)]
        assert "lap" not in opened.frame(4).info
        assert opened.frame(4, lap=1).info["lap"] == 1


def test_metrics_are_selected_by_after_and_every(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        for step in range(10):
            writer.add_step(step, 0, {"loss": float(step), "accuracy": float("nan")})
        columns = writer.metrics(after=2, every=3)
    assert columns["step"] == [3, 6, 9]
    assert columns["loss"] == [3.0, 6.0, 9.0]
    assert columns["accuracy"] == [None] * 3


def test_checkpoint_keeps_the_shape_of_a_number(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        writer.add_checkpoint(Checkpoint(1, 0, {}, {"count": np.array(7), "row": np.zeros((1, 2))}))
    with Recording.open(path) as recording:
        checkpoint = recording.checkpoint()
    assert checkpoint is not None
    assert {name: each.shape for name, each in checkpoint.tensors.items()} == {
        "count": (),
        "row": (1, 2),
    }


def test_add_checkpoint_deletes_all_but_the_newest_two(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        for step in (1, 2, 3):
            weights = {"weight": np.full(3, step, np.float32)}
            writer.add_checkpoint(Checkpoint(step, 0, {"note": step}, weights))
        newest = writer.checkpoint()
        assert newest is not None
        assert (newest.step, newest.info, newest.tensors["weight"].tolist()) == (
            3,
            {"note": 3},
            [3.0] * 3,
        )
        assert writer.connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (2,)


DAMAGES = {
    "its tensors": ("data", b"no tensors"),
    "its note": ("info", "{"),
    "its attempt": ("attempt", "later"),
}


@pytest.mark.parametrize(("column", "value"), DAMAGES.values(), ids=DAMAGES)
def test_older_checkpoint_takes_the_place_of_a_damaged_one(
    path: Path, column: str, value: object
) -> None:
    with RecordingWriter.open(path) as writer:
        for step in (1, 2):
            writer.add_checkpoint(Checkpoint(step, 0, {}, {"weight": np.zeros(3, np.float32)}))
        writer.connection.execute(f"UPDATE checkpoints SET {column} = ? WHERE step = 2", (value,))
        older = writer.checkpoint()
        assert older is not None
        assert older.step == 1
        writer.connection.execute(f"UPDATE checkpoints SET {column} = ?", (value,))
        with pytest.raises(RecordingError, match="damaged"):
            writer.checkpoint()


@pytest.mark.seconds
def test_second_writer_is_refused(path: Path) -> None:
    with RecordingWriter.open(path), pytest.raises(Conflict, match="another process"):
        RecordingWriter.open(path)


WRITE_AND_WAIT = """
import sys
from pathlib import Path
from stnscope.backend.experiment.recording.writer import RecordingWriter
writer = RecordingWriter.open(Path(sys.argv[1]))
with writer.transaction():
    writer.update(status="running", step=7)
    writer.add_step(7, 0, {"loss": 0.5})
print("written", flush=True)
writer.connection.execute("BEGIN IMMEDIATE")
writer.add_step(8, 0, {"loss": 0.25})
sys.stdin.read()
"""


def test_run_of_a_killed_writer_is_interrupted_and_has_all_committed_rows(path: Path) -> None:
    command = [*RUN_CODE, WRITE_AND_WAIT, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        with Recording.open(path) as opened:
            assert opened.summary()["status"] == "running"
        process.kill()
    with Recording.open(path) as opened:
        assert opened.summary()["status"] == "interrupted"
        assert opened.metrics()["step"] == [7]


def test_copy_made_while_writing_is_consistent(path: Path, tmp_path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        writer.add_frame(frame(0), attempt=0, kept=True)
        copy_recording(path, tmp_path / f"copy{SUFFIX}")
        writer.add_frame(frame(1), attempt=0, kept=True)
    with Recording.open(tmp_path / f"copy{SUFFIX}") as copy:
        assert [ref.step for ref in copy.frames()] == [0]


def add_ordinary_frames(writer: RecordingWriter, steps: range, shade: int | None = None) -> None:
    for step in steps:
        ordinary = frame(step, shade=step if shade is None else shade)
        writer.add_frame(ordinary, attempt=0, kept=False)


def test_drop_frames_drops_a_limited_number_of_the_oldest(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        add_ordinary_frames(writer, range(10))
        assert writer.drop_frames(after=0, before=10, stride=2, limit=2) == 3
        assert [ref.step for ref in writer.frames()] == [1, 3, 4, 5, 6, 7, 8, 9]
        assert writer.drop_frames(after=3, before=10, stride=2, limit=9) == 9
        assert writer.drop_frames(after=9, before=10, stride=2, limit=9) is None
        assert [ref.step for ref in writer.frames()] == [1, 3, 5, 7, 9]


def test_drop_frames_drops_neither_kept_frames_nor_that_of_the_last_step(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        writer.add_frame(frame(0), attempt=0, kept=True)
        add_ordinary_frames(writer, range(1, 4))
        add_ordinary_frames(writer, range(9, 10))
        # As after resuming from step 3: the newest frame is not that of the last step.
        add_ordinary_frames(writer, range(4, 6))
        assert writer.drop_frames(after=0, before=7, stride=1000, limit=100) is not None
        assert [ref.step for ref in writer.frames()] == [0, 5, 9]


def test_input_is_deleted_with_its_last_frame_and_can_be_added_again(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        add_ordinary_frames(writer, range(4), shade=7)
        add_ordinary_frames(writer, range(4, 8))
        writer.drop_frames(after=0, before=8, stride=1000, limit=6)
        assert [ref.step for ref in writer.frames()] == [6, 7]
        assert writer.connection.execute("SELECT count(*) FROM inputs").fetchone() == (2,)
        add_ordinary_frames(writer, range(8, 9), shade=7)
        assert (writer.frame(8).tensors["input"] == 7).all()


def test_live_bytes_decrease_with_dropped_frames_while_the_file_size_stays(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        add_ordinary_frames(writer, range(200))
        before = writer.live_bytes()
        writer.drop_frames(after=0, before=200, stride=1000, limit=1000)
        assert writer.live_bytes() < before / 2
    assert path.stat().st_size >= before


def limit_pages(writer: RecordingWriter, additional: int) -> None:
    """Limit the growth of the recording: beyond it SQLite reports a full disk."""
    pages = writer.connection.execute("PRAGMA page_count").fetchone()[0]
    writer.connection.execute(f"PRAGMA max_page_count = {pages + additional}")


def test_write_that_failed_on_a_full_disk_can_be_repeated(path: Path) -> None:
    with RecordingWriter.open(path) as writer:
        limit_pages(writer, 1)
        large = Frame({"protocol": 1, "step": 3}, {"input": np.full((1, 99, 99, 3), 5, np.uint8)})

        def write() -> None:
            with writer.transaction():
                writer.add_step(3, 0, {"loss": 0.5})
                writer.add_frame(large, attempt=0, kept=True)

        with pytest.raises(InsufficientStorage, match="full"):
            write()
        assert writer.metrics()["step"] == []
        writer.update(status="paused")
        limit_pages(writer, 1000)
        write()
        assert writer.metrics()["step"] == [3]
        # The input was not written by the first attempt.
        assert (writer.frame(3).tensors["input"] == 5).all()


def test_create_leaves_no_files_if_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = writer_module.connect_to_draft

    def connect_to_full_disk(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 2")
        return connection

    monkeypatch.setattr(writer_module, "connect_to_draft", connect_to_full_disk)
    with pytest.raises(InsufficientStorage):
        create(tmp_path / f"new{SUFFIX}", config=RunConfig(), steps_per_epoch=PER_EPOCH)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all", b"SQLite format 3\0" + bytes(84)]
)
def test_open_refuses_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"odd{SUFFIX}"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="not a recording"):
        Recording.open(path)


def test_add_checkpoint_deletes_all_but_the_newest_large_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "LARGE_CHECKPOINT_BYTES", 1000)
    with RecordingWriter.open(path) as writer, writer.transaction():
        for step in (1, 2, 3):
            weights = {"w": np.zeros(2000, np.uint8)}
            writer.add_checkpoint(Checkpoint(step, 0, {}, weights))
        newest = writer.checkpoint()
        assert newest is not None
        assert newest.step == 3
        assert writer.connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (1,)


@pytest.fixture
def old(path: Path) -> Path:
    """Return a recording of version 1."""
    with RecordingWriter.open(path) as writer, writer.transaction():
        writer.add_step(0, 0, {"loss": 0.5})
        writer.add_frame(frame(0), attempt=0, kept=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TO_VERSION_1)
    return path


def test_recording_of_version_1_is_read_without_changing_it(old: Path) -> None:
    before = old.read_bytes()
    with Recording.open(old) as opened:
        columns, run = opened.metrics(), opened.summary()
        assert opened.frame(0).info["step"] == 0
    assert (columns["loss"], columns["collapsed"]) == ([0.5], [None])
    assert (run["imported"], run["collapsed"]) == (False, False)
    assert old.read_bytes() == before


def test_writer_upgrades_a_recording_of_version_1(old: Path) -> None:
    with Recording.open(old) as reader:
        with RecordingWriter.open(old) as writer:
            writer.add_step(1, 0, {"loss": 0.25, "collapsed": 0.5})
        assert reader.metrics()["collapsed"] == [None, 0.5]
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_recording_of_a_later_version_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    expected = f"of version {SCHEMA_VERSION + 1}; this program reads those up to {SCHEMA_VERSION}"
    with pytest.raises(RecordingError, match=expected):
        Recording.open(path)


def test_watched_run_without_its_program_is_interrupted_from_the_beginning(tmp_path: Path) -> None:
    path = write_watched_run(tmp_path / f"watched{SUFFIX}", status="queued")
    with Recording.open(path) as opened:
        assert opened.summary()["status"] == "interrupted"
        with RecordingWriter.open(path):
            assert opened.summary()["status"] == "queued"


def test_sampled_metrics_lose_no_peak_and_no_rare_value_of_a_further_metric(tmp_path: Path) -> None:
    path = write_watched_run(tmp_path / f"watched{SUFFIX}", steps=0, scalars=0)
    with RecordingWriter.open(path) as writer, writer.transaction():
        for step in range(3000):
            scalars = {"norm": 99.0 if step == 1234 else 1.0}
            scalars |= {"mAP": step / 3000} if step % 1000 == 500 else {}
            writer.add_step(step, 0, {"loss": 1.0}, scalars)
        writer.connection.execute("UPDATE steps SET scalars = '{' WHERE step = 7")
        columns = writer.sampled_metrics(100)
    assert len(columns["step"]) <= 100
    assert max(columns["scalars"]["norm"]) == 99.0
    rare = [value for value in columns["scalars"]["mAP"] if value]
    assert rare == [500 / 3000, 1500 / 3000, 2500 / 3000]
