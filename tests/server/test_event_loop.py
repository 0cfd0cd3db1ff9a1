"""The event loop never waits for a file, a lock or a database: coroutines use threads for that."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from shutil import copy

import httpx
import pytest
from filelock import FileLock
from websockets.sync.client import ClientConnection

from tests.conftest import ROOT, TrainedRun
from tests.live_server import Server, receive, send, wait_until
from tests.server.blocking_calls import Program
from tests.source_files import FOLDERS

ENOUGH_FRAMES = 4
"""More than a blocked server can have sent before it was blocked, and while it responds."""


def test_no_coroutine_makes_a_blocking_call() -> None:
    files = [file for name in FOLDERS for file in sorted((ROOT / name).rglob("*.py"))]
    names = [
        ".".join(("stnscope", *file.relative_to(ROOT).with_suffix("").parts)) for file in files
    ]
    program = Program(
        {
            name.removesuffix(".__init__"): file.read_text()
            for name, file in zip(names, files, strict=True)
        }
    )
    assert "stnscope.backend.server.runs.Runs.summary" in program.blocking_functions
    assert program.blocking_calls() == []


@pytest.mark.parametrize(
    "line",
    [
        "path.stat()",
        "path.resolve()",
        "open(path)",
        "os.listdir(path)",
        "os.path.getsize(path)",
        "shutil.copyfile(path, path)",
        "shutil.disk_usage(path)",
        "zipfile.ZipFile(path)",
        "archive.namelist()",
        "time.sleep(1)",
        "pause(1)",
        "sqlite3.connect(path)",
        "database.execute('SELECT 1')",
        "Image.open(path)",
        "with FileLock(path): pass",
        "look(path)",
        "b.look(path)",
        "runs.size()",
        "Runs(path)",
        "with Draft(): pass",
        "look_again()",
        "runs.is_empty",
        "self.find()",
        "await wait_for(look(path), 1)",
        "[look(each) for each in path]",
        "await look(path).close()",
    ],
)
def test_blocking_calls_are_found(line: str) -> None:
    assert len(blocking_calls_in(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "await run_in_threadpool(look, path)",
        "await run_in_threadpool(path.stat)",
        "await run_in_threadpool(lambda: look(path))",
        "await tail.open()",
        "await asyncio.sleep(1)",
        "os.fspath(path) + os.environ.get('HOME')",
        "path.with_suffix('.zip')",
        "cache.get(path)",
        "tasks.cancel()",
    ],
)
def test_other_calls_are_not_found(line: str) -> None:
    assert blocking_calls_in(line) == []


def blocking_calls_in(line: str) -> list[str]:
    """Return the blocking calls of a coroutine that consists of one line, in a small program."""
    source = f"""\
import asyncio, os, shutil, sqlite3, time, zipfile
from time import sleep as pause
from PIL import Image
from filelock import FileLock
from b import Draft, Runs, look
import b

class Work:
    async def work(self, path):
        def look_again():
            return look(path)
        {line}

    def find(self):
        return Runs()
"""
    other = """\
def look(path):
    return inspect(path)

def inspect(path):
    return path.exists()

class Draft:
    def __enter__(self):
        inspect(self.path)

class Runs:
    def __init__(self, path):
        path.mkdir()

    def size(self):
        return len(self.list())

    def get(self, name):
        return look(name)

    def list(self):
        return [*self.folder.iterdir()]

    @property
    def is_empty(self):
        return not self.size()
"""
    return Program({"a": source, "b": other}).blocking_calls()


@contextmanager
def locked_database(recording: Path) -> Iterator[None]:
    """Lock a recording as another program may: it cannot be read meanwhile."""
    with closing(sqlite3.connect(recording, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")


@contextmanager
def locked_file(recording: Path) -> Iterator[None]:
    """Hold the lock of a recording's writer."""
    with FileLock(recording.with_suffix(".lock")):
        yield


@pytest.fixture
def stopped(server: Server, trained_run: TrainedRun) -> Iterator[Path]:
    """The recording of a run that could be resumed."""
    path = server.home / "recordings" / "locked.stnscope"
    copy(trained_run.recording, path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE run SET status = 'stopped'")
    yield path
    server.http.delete(f"/runs/{path.stem}").raise_for_status()


@pytest.mark.parametrize(("lock", "status"), [(locked_database, 503), (locked_file, 409)])
def test_stream_continues_while_another_program_locks_a_recording(
    server: Server,
    running: str,
    stopped: Path,
    lock: Callable[[Path], AbstractContextManager[None]],
    status: int,
) -> None:
    """To resume a run, the server waits for its locks for seconds; other streams do not."""
    server.post_control(running, slow_motion=0.05)
    with server.open_stream(running) as viewer, ThreadPoolExecutor(1) as thread, lock(stopped):
        send(viewer, type="hello")
        send(viewer, type="follow")
        for _ in range(2):
            receive(viewer, "frame")

        def has_frames_meanwhile() -> bool:
            response = thread.submit(server.control, stopped.stem, "resume")
            count = frames_until_response(viewer, response)
            assert response.result().status_code == status, response.result().text
            return count == ENOUGH_FRAMES

        # On a slow machine the frames may take longer than the server waits: again, then.
        wait_until(has_frames_meanwhile)
    server.slow_down(running)


def frames_until_response(viewer: ClientConnection, response: Future[httpx.Response]) -> int:
    """Receive frames, one at a time, until there are enough or the response has come."""
    count = 0
    while count < ENOUGH_FRAMES and not response.done():
        send(viewer, type="credit", frames=1)
        receive(viewer, "frame")
        count += 1
    return count
