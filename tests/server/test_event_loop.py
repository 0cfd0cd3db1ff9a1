"""The event loop never waits for a file, a lock or a database: coroutines use threads for that."""

import ast
import builtins
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
from tests.live_server import Server, receive, send

SERVER = ROOT / "backend" / "server"

ENOUGH_FRAMES = 6
"""More than a blocked server can have sent before it was blocked, and while it responds."""
ATTEMPTS = 5
"""On a slow machine the frames may take longer than the server waits."""

FILES = (
    *("exists", "is_dir", "is_file", "stat", "glob", "rglob", "iterdir", "scandir", "open"),
    *("mkdir", "rmdir", "touch", "unlink", "rename", "rmtree", "mkdtemp", "TemporaryDirectory"),
    *("read_bytes", "read_text", "write_bytes", "write_text", "cleanup"),
)
DATABASES = ("connect", "execute", "backup", "acquire", "has_writer", "copy_recording", "shortage")
DATA_SETS = ("inspect_dataset", "list_datasets", "list_skipped_folders", "download", "cards")
BLOCKING = frozenset((*FILES, *DATABASES, *DATA_SETS))
"""Names of functions that read or write files, or wait."""

HARMLESS = frozenset(dir(builtins)) - {"open"}
"""Python's own functions, some of which share a name with a method."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def calls(function: Function) -> Iterator[tuple[str, int]]:
    """Yield the name and line of each call that a function makes itself and does not await."""
    pending: list[ast.AST] = list(function.body)
    while pending:
        node = pending.pop()
        if isinstance(node, Function | ast.Lambda):
            continue  # it is called later, perhaps in a thread
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call):
            pending += [node.value.func, *node.value.args]
            continue
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) if name not in HARMLESS:
                    yield name, node.lineno
                case ast.Attribute(attr=name):
                    yield name, node.lineno
        pending += ast.iter_child_nodes(node)


def blocking_names(trees: list[ast.Module]) -> set[str]:
    """Return the names of all functions that block, or call one that does."""
    blocking = set(BLOCKING)
    plain = [
        function
        for tree in trees
        for function in functions(tree)
        if isinstance(function, ast.FunctionDef)
    ]
    while True:
        callers = {
            function.name
            for function in plain
            if any(name in blocking for name, _ in calls(function))
        }
        if callers <= blocking:
            return blocking
        blocking |= callers


def blocking_calls(sources: dict[str, str]) -> list[str]:
    """Return each blocking call that a coroutine makes, as `file:line name`."""
    trees = {file: ast.parse(source) for file, source in sources.items()}
    blocking = blocking_names(list(trees.values()))
    return [
        f"{file}:{line} {name}"
        for file, tree in trees.items()
        for function in functions(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for name, line in calls(function)
        if name in blocking
    ]


def test_no_coroutine_makes_a_blocking_call() -> None:
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in SERVER.rglob("*.py")}
    assert blocking_calls(sources) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("path.stat()", ["a.py:2 stat"]),
        ("with runs.open(run): pass", ["a.py:2 open"]),
        ("look(path)", ["a.py:2 look"]),
        ("await run_in_threadpool(look, path)", []),
        ("await tail.open()", []),
        ("await run_in_threadpool(lambda: path.stat())", []),
        ("await wait_for(look(path), 1)", ["a.py:2 look"]),
    ],
)
def test_blocking_calls_are_found(line: str, found: list[str]) -> None:
    source = f"async def work(path):\n    {line}\n\ndef look(path):\n    return path.exists()\n"
    assert blocking_calls({"a.py": source}) == found


@contextmanager
def locked_database(recording: Path) -> Iterator[None]:
    """Lock a recording as another program may: nobody can read it meanwhile."""
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
    with server.open_stream(running) as viewer, ThreadPoolExecutor(1) as thread, lock(stopped):
        send(viewer, type="hello")
        send(viewer, type="follow")
        for _ in range(2):
            receive(viewer, "frame")
        for _ in range(ATTEMPTS):
            response = thread.submit(server.control, stopped.stem, "resume")
            count = frames_until_response(viewer, response)
            assert response.result().status_code == status, response.result().text
            if count == ENOUGH_FRAMES:
                return
    raise AssertionError("no frames were sent while the server waited for a lock")


def frames_until_response(viewer: ClientConnection, response: Future[httpx.Response]) -> int:
    """Receive frames, one at a time, until there are enough or the response has come."""
    count = 0
    while count < ENOUGH_FRAMES and not response.done():
        send(viewer, type="credit", frames=1)
        receive(viewer, "frame")
        count += 1
    return count
