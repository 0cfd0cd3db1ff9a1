"""A stream whose recording cannot be read for a while goes on afterwards, for every viewer."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection

from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.server.streams import tail
from tests.examples import EXAMPLE_PATH
from tests.live_server import Server, receive, send, wait_until
from tests.server.in_process import serve_in_thread


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recordings" / f"one{SUFFIX}"
    path.parent.mkdir()
    shutil.copy(EXAMPLE_PATH, path)
    return path


@pytest.fixture
def server(recording: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("LOCK_SECONDS", "RETRY_INTERVAL", "LOCK_INTERVAL"):
        monkeypatch.setattr(tail, name, 0.05)
    with serve_in_thread(recording.parents[1]) as server:
        yield server


def watch(server: Server, stack: ExitStack) -> ClientConnection:
    viewer = stack.enter_context(server.open_stream("one"))
    send(viewer, type="hello")
    send(viewer, type="follow")
    receive(viewer, "frame")
    return viewer


def wait_for_run(viewer: ClientConnection, **expected: object) -> None:
    wait_until(lambda: expected.items() <= receive(viewer, "run").items())


def set_error(recording: Path, error: str) -> None:
    with closing(sqlite3.connect(recording)) as connection, connection:
        connection.execute("UPDATE run SET error = ?", (error,))


def test_viewers_go_on_after_another_program_has_locked_the_recording(
    server: Server, recording: Path
) -> None:
    with ExitStack() as stack:
        first = watch(server, stack)
        with closing(sqlite3.connect(recording, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            # Messages go on meanwhile, and the run is what it was.
            for _ in range(2):
                receive(first, "heartbeat")
            other.execute("ROLLBACK")
        later = watch(server, stack)
        set_error(recording, "written afterwards")
        for viewer in (first, later):
            wait_for_run(viewer, status="finished", error="written afterwards")


def test_viewers_are_told_of_damage_and_go_on_after_a_repair(
    server: Server, recording: Path
) -> None:
    whole = recording.read_bytes()
    with ExitStack() as stack:
        viewer = watch(server, stack)
        recording.write_bytes(b"a text in place of a recording")
        wait_for_run(viewer, status="damaged", config=None, can=["delete"])
        recording.write_bytes(whole)
        wait_for_run(viewer, status="finished")
        watch(server, stack)  # a later viewer is sent a frame too
        # A copy that takes the file's place is read, and not the file that it has replaced.
        copy = recording.with_name("copy")
        shutil.copy(recording, copy)
        set_error(copy, "in the copy")
        os.replace(copy, recording)
        wait_for_run(viewer, error="in the copy")
        recording.unlink()
        wait_for_run(viewer, status="deleted")
