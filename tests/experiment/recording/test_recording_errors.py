"""Whatever a recording's file does, reading and writing it raises RecordingError, nothing else."""

import errno
import json
import os
import random
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stnscope.backend.experiment.errors import (
    LaterVersion,
    NotFound,
    RecordingDenied,
    RecordingError,
    RecordingUnavailable,
    StnscopeError,
)
from stnscope.backend.experiment.recording.reader import SUFFIX, Recording, copy_recording
from stnscope.backend.experiment.recording.recording_errors import raising_recording_errors
from stnscope.backend.experiment.recording.schema import SCHEMA_VERSION
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.server import runs as runs_module
from stnscope.backend.server.runs import Runs
from tests.examples import EXAMPLE_PATH
from tests.experiment.recording.mutations import mutate, read_all, upgraded_example

MUTATIONS = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / f"run{SUFFIX}"
    shutil.copy(EXAMPLE_PATH, path)
    return path


def change(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("DELETE FROM run", "no run"),
        ("INSERT INTO run SELECT * FROM run", "several runs"),
        ("DROP TABLE frames", "its table frames is missing"),
        (
            "ALTER TABLE run RENAME TO other; CREATE VIEW run AS WITH RECURSIVE endless(n) AS"
            " (SELECT 1 UNION ALL SELECT n + 1 FROM endless) SELECT * FROM other, endless",
            "its table run is missing",
        ),
        ("ALTER TABLE run DROP COLUMN stillness", "no such column"),
        ("UPDATE run SET config = '{'", "config"),
        ("UPDATE run SET config = '[]'", "config"),
        ("UPDATE run SET config = x'7b22ff227d'", "config"),
        ("UPDATE run SET config = CAST(x'7b22ff227d' AS TEXT)", "UTF-8"),
        (f"UPDATE run SET config = '{'[' * 5000}'", "recursion"),
        ("UPDATE run SET config = json_set(config, '$.epochs', 99999)", "epochs"),
        ("UPDATE run SET config = json_set(config, '$.probes.count', 'many')", r"probes\.count"),
        ("UPDATE run SET created = 'yesterday'", "created"),
        ("UPDATE run SET steps_per_epoch = 0", "steps_per_epoch"),
        ("UPDATE run SET step = 9223372036854775807", "step"),
        ("UPDATE run SET loss = 9e999", "loss"),
        ("UPDATE run SET status = 'dancing'", "status"),
        ("UPDATE frames SET step = 'first' WHERE seq = 1", "frames"),
        ("INSERT INTO changes VALUES (1, 1, 0, 0, '{}x')", "settings"),
        ("PRAGMA user_version = -1", "version -1"),
    ],
)
def test_damaged_recording_has_a_reason(path: Path, script: str, reason: str) -> None:
    change(path, script)
    with pytest.raises(RecordingError, match=reason) as caught, Recording.open(path) as recording:
        recording.summary()
    assert not isinstance(caught.value, LaterVersion)
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    "script",
    [
        f"PRAGMA user_version = {SCHEMA_VERSION + 1}",
        "UPDATE run SET config = json_set(config, '$.future', 1)",
        "UPDATE run SET config = json_set(config, '$.epochs', 99999, '$.probes.future', 1)",
        "INSERT INTO changes VALUES (1, 1, 0, 0, '{\"future\": 1}')",
    ],
)
def test_what_only_a_later_version_writes_is_not_called_damage(path: Path, script: str) -> None:
    change(path, script)
    with pytest.raises(LaterVersion, match="later version"), Recording.open(path) as recording:
        recording.summary()


def test_damaged_metrics_are_read_as_missing_ones(path: Path) -> None:
    change(path, "UPDATE steps SET loss = 9e999 WHERE step = 1")
    change(path, "UPDATE steps SET loss = 'none' WHERE step = 2")
    with Recording.open(path) as recording:
        columns = recording.metrics()
    assert columns["loss"][1:3] == [None, None]
    assert columns["loss"][3] is not None


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has at most some 100 characters
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (os.mkfifo, "a pipe"),
        (make_socket, "a socket"),
        (lambda path: path.symlink_to("missing"), "a link"),
        (lambda path: path.symlink_to(path.name), "a link"),
        (lambda path: path.symlink_to("/dev/null"), "a device"),
        (lambda path: path.write_bytes(b""), "not a recording"),
        (lambda path: path.write_text("a text"), "not a recording"),
        (lambda path: path.write_bytes(EXAMPLE_PATH.read_bytes()[:100]), "malformed"),
    ],
)
def test_other_things_of_that_name_are_listed_with_a_reason_and_deleted(
    tmp_path: Path, make: Callable[[Path], None], reason: str
) -> None:
    runs = Runs(tmp_path / "recordings")
    make(runs.new_path("odd"))
    shutil.copy(EXAMPLE_PATH, runs.new_path("good"))
    listed = {run["id"]: run for run in runs.list()}
    assert listed["good"]["error"] is None
    assert listed["odd"]["status"] == "damaged"
    assert reason in listed["odd"]["error"]
    runs.delete("odd")
    assert [run["id"] for run in runs.list()] == ["good"]


def test_runs_have_ids_that_fit_into_json_whatever_their_files_are_called(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "home #1 100%" / "recordings")
    for name in (b"bad\xe4", "日本 ?#%41".encode(), b"new\nline", b"example-digits"):
        target = os.fsencode(runs.folder) + b"/" + name + os.fsencode(SUFFIX)
        shutil.copy(os.fsencode(EXAMPLE_PATH), target)
    listed = runs.list()
    assert {run["status"] for run in listed} == {"finished"}
    assert {run["id"] for run in listed} == {
        "bad~xe4",
        "日本 ?#%41",
        "new\nline",
        "example-digits-copy",
    }
    json.dumps(listed, ensure_ascii=False).encode()
    for run in listed:
        with runs.open(run["id"]) as recording:
            assert recording.frames()
        runs.delete(run["id"])
    assert list(runs.folder.iterdir()) == []


def test_locked_recording_is_listed_as_it_was_last_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SUMMARY_LOCK_SECONDS", "LOCK_SECONDS"):
        monkeypatch.setattr(runs_module, name, 0.01)
    runs = Runs(tmp_path)
    shutil.copy(EXAMPLE_PATH, runs.new_path("one"))
    with closing(sqlite3.connect(runs.new_path("one"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert runs.list()[0]["status"] == "unavailable"
        with pytest.raises(RecordingUnavailable, match="Another program locks one"):
            runs.read_summary("one")
        other.execute("ROLLBACK")
        (before,) = runs.list()
        other.execute("BEGIN EXCLUSIVE")
        assert runs.list() == [before]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EACCES, RecordingDenied),
        (errno.EROFS, RecordingDenied),
        (errno.EIO, RecordingUnavailable),
        (errno.EMFILE, RecordingUnavailable),
        (errno.ELOOP, RecordingError),
        (errno.ENOENT, NotFound),
    ],
)
def test_errors_of_the_operating_system_have_their_kind(
    path: Path, number: int, kind: type[StnscopeError]
) -> None:
    with pytest.raises(StnscopeError) as caught, raising_recording_errors(path):
        raise OSError(number, os.strerror(number), str(path))
    assert type(caught.value) is kind


def test_damaged_recording_can_be_copied_as_it_is(path: Path, tmp_path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])
    copy_recording(path, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    change(path, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'run'")


def test_randomly_damaged_recordings_raise_nothing_but_recording_errors(tmp_path: Path) -> None:
    """`python -m tests.experiment.recording.mutations` runs this for as long as one likes."""
    generator = random.Random(14)
    runs, source = Runs(tmp_path / "recordings"), upgraded_example(tmp_path)
    outcomes = {"read": 0, "refused": 0}
    for number in range(MUTATIONS):
        mutate(source, runs.new_path("mutated"), generator, number)
        outcomes[read_all(runs, "mutated")] += 1
    assert min(outcomes.values()) > 5, outcomes


def test_writer_of_a_damaged_recording_raises_a_recording_error(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(RecordingError, match="damaged"):
        RecordingWriter.open(path)
    path.write_text("a text")
    with pytest.raises(RecordingError, match="not a recording"):
        RecordingWriter.open(path)
