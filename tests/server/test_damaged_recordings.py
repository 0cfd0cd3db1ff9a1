"""A recording that cannot be read is listed with the reason; everything else still works."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed

from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.schema import SCHEMA_VERSION
from tests.examples import EXAMPLE_PATH
from tests.live_server import Server
from tests.server.in_process import serve_in_thread

SCRIPTS = {
    "no-row": "DELETE FROM run",
    "no-json": "UPDATE run SET config = '{'",
    "created-as-text": "UPDATE run SET created = 'yesterday'",
    "no-steps": "UPDATE run SET steps_per_epoch = 0",
    "later-field": "UPDATE run SET config = json_set(config, '$.future', 1)",
    "later-version": f"PRAGMA user_version = {SCHEMA_VERSION + 1}",
}
LATER = {"later-field", "later-version"}
FILES = {*SCRIPTS, "truncated", "text"}
ODD = FILES | {"folder", "pipe", "link"}


def write_odd_recordings(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("good", "truncated", *SCRIPTS):
        path = folder / f"{name}{SUFFIX}"
        shutil.copy(EXAMPLE_PATH, path)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(SCRIPTS.get(name, ""))
    os.truncate(folder / f"truncated{SUFFIX}", 50_000)
    (folder / f"text{SUFFIX}").write_text("a text")
    (folder / f"folder{SUFFIX}").mkdir()
    (folder / f"folder{SUFFIX}" / "file").write_text("a text")
    os.mkfifo(folder / f"pipe{SUFFIX}")
    (folder / f"link{SUFFIX}").symlink_to("missing")


@pytest.fixture
def odd_server(tmp_path: Path) -> Iterator[Server]:
    write_odd_recordings(tmp_path / "recordings")
    with serve_in_thread(tmp_path) as server:
        yield server


def test_server_starts_and_lists_them_with_reasons(odd_server: Server) -> None:
    listed = {run["id"]: run for run in odd_server.http.get("/runs").raise_for_status().json()}
    assert listed.keys() == ODD | {"good"}
    assert (listed["good"]["status"], listed["good"]["error"]) == ("finished", None)
    for name in ODD:
        run = odd_server.http.get(f"/runs/{name}").raise_for_status().json()
        assert run == listed[name]
        assert run["status"] == ("later_version" if name in LATER else "damaged")
        assert name in run["error"]
        assert run["can"] == ["delete"]
        assert run["config"] is None
    assert odd_server.http.get("/catalog").status_code == 200
    assert odd_server.http.get("/runs/good/frames/3").status_code == 200


def test_reading_and_controlling_them_is_refused_with_the_reason(odd_server: Server) -> None:
    for name in ODD:
        error = odd_server.http.get(f"/runs/{name}").json()["error"]
        for path in ("frames", "frames/3"):
            response = odd_server.http.get(f"/runs/{name}/{path}")
            assert response.status_code in (404, 422), response.text
        response = odd_server.http.post(f"/runs/{name}/control", json={"action": "resume"})
        assert response.status_code == 409, response.text
        with odd_server.open_stream(name) as viewer, pytest.raises(ConnectionClosed) as closed:
            viewer.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4422
        assert closed.value.rcvd.reason
        assert error.startswith(closed.value.rcvd.reason)
    response = odd_server.http.get("/runs/no-row/export?frames=2")
    assert (response.status_code, "no run" in response.json()["detail"]) == (422, True)


def test_their_files_can_be_downloaded_and_all_of_them_deleted(
    odd_server: Server, tmp_path: Path
) -> None:
    for name in FILES:
        response = odd_server.http.get(f"/runs/{name}/recording")
        assert response.status_code == 200, response.text
        if name in ("truncated", "text"):
            assert response.content == (tmp_path / "recordings" / f"{name}{SUFFIX}").read_bytes()
    for name in ODD - FILES:
        assert odd_server.http.get(f"/runs/{name}/recording").status_code == 422
    for name in ODD:
        assert odd_server.http.delete(f"/runs/{name}").status_code == 204
    assert [run["id"] for run in odd_server.http.get("/runs").json()] == ["good"]
    assert [path.name for path in (tmp_path / "recordings").iterdir()] == [f"good{SUFFIX}"]


def test_run_with_any_name_can_be_exported(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    shutil.copy(EXAMPLE_PATH, tmp_path / "recordings" / f"日本 #1{SUFFIX}")
    with serve_in_thread(tmp_path) as server:
        response = server.http.get(f"/runs/{quote('日本 #1')}/export?frames=2")
    assert response.status_code == 200, response.text
    assert quote("日本 #1-evolution.gif") in response.headers["content-disposition"]
