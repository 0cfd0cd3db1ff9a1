"""Folders and files that may not be read or written, locks that are not to be had, a home that is
gone: each is reported in a sentence, and everything else still works."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import (
    AccessDenied,
    LockUnavailable,
    StnscopeError,
)
from stnscope.backend.experiment.recording.lock import has_writer
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.server.runs import Runs
from tests.conftest import ROOT
from tests.examples import EXAMPLE_PATH
from tests.live_server import Server, free_port
from tests.server.in_process import serve_in_thread

CAPABILITIES = "-dac_override,-dac_read_search"
READ_AND_CREATE = """
import sys
from pathlib import Path
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.server.runs import Runs

runs = Runs(Path(sys.argv[1]))
print(sorted((run["id"], run["status"]) for run in runs.list()))
print(runs.write_refusal())
try:
    runs.create(RunConfig())
except StnscopeError as error:
    print(type(error).__name__, error)
"""


def without_privileges() -> list[str]:
    """Return the beginning of a command that runs another one without a superuser's privileges."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the superuser may write anywhere, and there is no setpriv")
    return ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "recordings").mkdir(parents=True)
    shutil.copy(EXAMPLE_PATH, tmp_path / "home" / "recordings" / f"good{SUFFIX}")
    return tmp_path / "home"


def detail_of(server: Server, method: str, path: str, status: int, **request: Any) -> str:
    """Send a request that is refused; return the reason."""
    response = server.http.request(method, path, **request)
    assert response.status_code == status, response.text
    detail: str = response.json()["detail"]
    assert detail.endswith(".")
    return detail


def write_requests(server: Server, status: int) -> Iterator[str]:
    """Send each request that writes to the home; yield why it is refused."""
    yield detail_of(server, "POST", "/runs", status, json={})
    yield detail_of(server, "POST", "/recordings", status, content=EXAMPLE_PATH.read_bytes())


def test_home_that_is_deleted_while_a_server_runs_is_told(home: Path) -> None:
    with serve_in_thread(home) as server:
        assert [run["id"] for run in server.http.get("/runs").json()] == ["good"]
        shutil.rmtree(home)
        assert server.http.get("/runs").json() == []
        assert server.http.get("/catalog").status_code == 200
        for detail in write_requests(server, 409):
            assert f"{home}" in detail
            assert "does not exist" in detail
        for method, path in (("DELETE", "/runs/good"), ("GET", "/runs/good/recording")):
            detail_of(server, method, path, 404)
        assert server.http.get("/runs/example-digits/frames/0").status_code == 200
        home.joinpath("recordings").mkdir(parents=True)
        response = server.http.post("/recordings", content=EXAMPLE_PATH.read_bytes())
        assert response.status_code == 201, "the home was restored"


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path, number: int) -> None:
    """Have a function of `os` refuse whatever is in a folder, as a file system does."""
    call: Callable[..., Any] = getattr(os, name)

    def refusing(path: Any, *args: Any, **options: Any) -> Any:
        if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder):
            raise OSError(number, os.strerror(number), str(path))
        return call(path, *args, **options)

    monkeypatch.setattr(os, name, refusing)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_folder_that_may_not_be_written_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    for name in ("unlink", "mkdir"):
        refuse(monkeypatch, name, home, number)
    with serve_in_thread(home) as server:
        assert server.get_run("good")["status"] == "finished"
        assert server.http.get("/runs/good/frames/3").status_code == 200
        refused = [
            *write_requests(server, 403),
            detail_of(server, "DELETE", "/runs/good", 403),
        ]
    for detail in refused:
        assert str(home) in detail
        assert "read-only" in detail or "may not be read or written" in detail


def test_folder_that_may_not_be_listed_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "listdir", home, errno.EACCES)
    with serve_in_thread(home, demonstration=True) as server:
        assert "may not be read" in detail_of(server, "GET", "/runs", 403)
        assert "may not be read" in detail_of(server, "GET", "/runs/good", 403)
        assert server.http.get("/catalog").status_code == 200
        assert server.http.get("/runs/example-digits").status_code == 200


@pytest.mark.parametrize("kind", ["file", "below a file", "dangling link"])
def test_home_that_cannot_be_made_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    path = tmp_path / "path"
    if kind == "dangling link":
        path.symlink_to(tmp_path / "missing" / "deeper")
    else:
        path.write_text("a file")
    home = path / "home" if kind == "below a file" else path
    for command in (["serve", "--port", str(free_port())], ["train"]):
        assert main([*command, "--home", str(home)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"stnscope: {home}")
        assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOLCK, LockUnavailable),
        (errno.EOPNOTSUPP, LockUnavailable),
    ],
)
def test_run_fails_with_the_reason_where_there_are_no_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StnscopeError]
) -> None:
    runs = Runs(tmp_path)
    run_id = runs.create(RunConfig())

    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert not has_writer(runs.path(run_id))
    with pytest.raises(kind, match="cannot be locked"):
        RecordingWriter.open(runs.path(run_id))
    runs.fail(run_id, "Its trainer ended before training began.")
    run = runs.summary(run_id)
    assert run["status"] == "failed"
    assert "cannot be locked" in run["error"]
    assert os.strerror(number) in run["error"]
    runs.delete(run_id)
    assert not runs.list()


def test_lock_of_another_user_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs(home / "recordings")
    runs.path("good").with_suffix(".lock").touch()
    call = os.open

    def open_read_only(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if str(path).endswith(".lock") and flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return call(path, flags, *args, **options)

    monkeypatch.setattr(os, "open", open_read_only)
    assert not has_writer(runs.path("good"))
    with pytest.raises(AccessDenied, match=r"good\.lock may not be read or written"):
        runs.set_status("good", "queued")


def test_folder_without_write_access_is_read(tmp_path: Path) -> None:
    """SQLite cannot create the index of a write-ahead log there."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    create(folder / f"killed{SUFFIX}", config=RunConfig(), steps_per_epoch=3)
    with RecordingWriter.open(folder / f"killed{SUFFIX}") as writer:
        # In write-ahead mode, as after the process was killed.
        assert writer.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        shutil.copy(folder / f"killed{SUFFIX}", tmp_path / "copy")
    os.replace(tmp_path / "copy", folder / f"killed{SUFFIX}")
    shutil.copy(EXAMPLE_PATH, folder / f"good{SUFFIX}")
    shutil.copy(EXAMPLE_PATH, folder / f"secret{SUFFIX}")
    (folder / f"secret{SUFFIX}").chmod(0)
    command = [*without_privileges(), sys.executable, "-c", READ_AND_CREATE, str(folder)]
    folder.chmod(0o500)
    try:
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    finally:
        folder.chmod(0o700)
    listed, refusal, created = run.stdout.splitlines()
    assert listed == "[('good', 'finished'), ('killed', 'queued'), ('secret', 'unreadable')]"
    assert "nothing can be recorded" in refusal
    assert created.startswith("RecordingDenied")
    assert "may not be read or written" in created
