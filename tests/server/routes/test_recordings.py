"""Recordings are downloaded and imported by a real server; a refused one leaves nothing."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from stnscope.backend.experiment.errors import InvalidInput, TooLarge, Unavailable
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.writer import CREATED_SUFFIX
from stnscope.backend.server.deadlines import Deadlines
from stnscope.backend.server.http.upload import receive_file
from stnscope.backend.server.processes import imports
from stnscope.backend.server.processes.imports import Imports
from stnscope.backend.server.runs import Runs
from tests.conftest import TrainedRun
from tests.live_server import Server, serve, wait_until
from tests.server.conftest import MINIMAL_SERVER


def post_recording(server: Server, data: bytes) -> httpx.Response:
    return server.http.post("/recordings", files={"recording": ("run.stnscope", data)})


def files(server: Server) -> set[str]:
    """Return the names of the recordings and of the folders of uploads."""
    uploads = server.home.glob("incoming-*")
    return {path.name for path in (*(server.home / "recordings").iterdir(), *uploads)}


def test_frame_is_drawn_as_a_small_picture(server: Server, finished: str) -> None:
    attempt = server.get_run(finished)["attempt"]
    pictures = []
    for query in ({}, {"thumbnail": True, "attempt": attempt}):
        response = server.http.get(f"/runs/{finished}/frames/12/picture", params=query)
        assert response.headers["content-type"] == "image/png"
        assert ("immutable" in response.headers["cache-control"]) == ("attempt" in query)
        pictures.append(Image.open(BytesIO(response.content)))
    (width, height), (small_width, small_height) = (picture.size for picture in pictures)
    assert (small_width < width, small_height < height / 3) == (True, True)
    # A thumbnail is transparent outside its images, for dark pages too.
    opacity = pictures[1].getchannel("A")
    assert opacity.getpixel((small_width // 2, small_height // 2)) == 0, "between the images"
    assert opacity.getpixel((small_width // 4, small_height // 2)) == 255


def test_downloaded_recording_can_be_imported_as_a_run(server: Server, finished: str) -> None:
    data = server.http.get(f"/runs/{finished}/recording").content
    before = files(server)
    response = post_recording(server, data)
    assert response.status_code == 201, response.text
    run, original = response.json(), server.get_run(finished)
    assert response.headers["location"] == f"/api/runs/{run['id']}"
    assert run["id"] != finished
    assert (run["imported"], run["owned"], run["can"]) == (True, False, ["delete", "rename"])
    for name in ("status", "config", "created", "step", "frames", "accuracy", "last_step"):
        assert run[name] == original[name], name
    assert files(server) - before <= {f"{run['id']}.stnscope", f"{run['id']}.lock"}
    one, other = (
        server.http.get(f"/runs/{run_id}/metrics").json() for run_id in (run["id"], finished)
    )
    assert one == other
    frames = [
        Frame.decode(server.http.get(f"/runs/{run_id}/frames/12").content)
        for run_id in (run["id"], finished)
    ]
    assert frames[0].encode() == frames[1].with_info(run=run["id"]).encode()
    assert run["id"] in {run_id["id"] for run_id in server.http.get("/runs").json()}
    assert server.http.get(f"/runs/{run['id']}/export?layout=moving").status_code == 200
    again = post_recording(server, server.http.get(f"/runs/{run['id']}/recording").content)
    assert again.json()["id"] not in (run["id"], finished)
    for run_id in (run["id"], again.json()["id"]):
        assert server.http.delete(f"/runs/{run_id}").status_code == 204


def test_import_of_an_unfinished_run_is_stopped_and_cannot_be_controlled(
    server: Server, running: str
) -> None:
    data = server.http.get(f"/runs/{running}/recording").content
    # As the whole body, which is simpler for a program than a form.
    headers = {"Content-Type": "application/octet-stream"}
    response = server.http.post("/recordings", content=data, headers=headers)
    assert response.status_code == 201, response.text
    run = response.json()
    assert (run["status"], run["can"]) == ("stopped", ["delete", "rename"])
    for action in ("resume", "stop", "pause", "step"):
        refused = server.control(run["id"], action)
        assert refused.status_code == 409
        assert "was imported" in refused.json()["detail"]
    assert server.post_control(run["id"], moving=True).status_code == 409
    assert server.get_run(running)["status"] == "running"
    assert server.http.delete(f"/runs/{run['id']}").status_code == 204


def damaged(trained_run: TrainedRun, folder: Path, script: str) -> bytes:
    path = folder / "damaged"
    path.write_bytes(trained_run.recording.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON steps BEGIN DELETE FROM frames; END", "trigger 't'"),
        ("UPDATE frames SET data = x'00' WHERE step = 0", "step 0 is not a frame"),
        ("PRAGMA user_version = 9", "version 9"),
        ("DELETE FROM run", "no run"),
    ],
)
def test_unusable_recording_is_refused_and_leaves_nothing(
    server: Server, trained_run: TrainedRun, tmp_path: Path, script: str, message: str
) -> None:
    before = files(server)
    response = post_recording(server, damaged(trained_run, tmp_path, script))
    assert response.status_code == 422, response.text
    assert message in response.json()["detail"]
    assert response.json()["field"] == "recording"
    assert files(server) == before


def test_other_file_than_a_recording_is_refused_with_a_message(
    server: Server, trained_run: TrainedRun
) -> None:
    before = files(server)
    content = trained_run.recording.read_bytes()
    for data, message in (
        (b"", "empty"),
        (b"GIF89a" * 1000, "not a recording"),
        (content[: len(content) // 2], "damaged"),
    ):
        response = post_recording(server, data)
        assert response.status_code == 422, response.text
        assert message in response.json()["detail"]
    form = server.http.post("/recordings", files={"image": ("run.stnscope", content)})
    assert (form.status_code, form.json()["field"]) == (422, "recording")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    malformed = server.http.post("/recordings", content=b"no form at all", headers=headers)
    assert malformed.status_code == 422
    assert "form" in malformed.json()["detail"]
    assert files(server) == before


def test_interrupted_upload_leaves_nothing(server: Server, trained_run: TrainedRun) -> None:
    before = files(server)
    data = trained_run.recording.read_bytes()
    head = (
        f"POST /api/recordings HTTP/1.1\r\nHost: localhost:{server.port}\r\n"
        f"Content-Length: {10 * len(data)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + data * 3)
        wait_until(lambda: any(name.startswith("incoming-") for name in files(server)))
    wait_until(lambda: files(server) == before)
    assert server.http.get("/health").status_code == 200


def test_recording_beyond_the_size_limit_or_the_quota_is_refused(
    tmp_path: Path, trained_run: TrainedRun
) -> None:
    limits = ("--run-limit", "1MB", "--home-limit", "20MB")
    with serve(tmp_path / "home", *MINIMAL_SERVER, *limits) as server:
        data = trained_run.recording.read_bytes()

        def endless() -> Iterator[bytes]:
            yield data[:1000]
            for _ in range(400):
                yield bytes(10_000)

        declared = post_recording(server, data[:1000] + bytes(3_000_000))
        assert declared.status_code == 413
        undeclared = server.http.post("/recordings", content=endless())
        assert undeclared.status_code == 413
        assert files(server) == set()
        other = server.home / "recordings" / "other"
        other.write_bytes(bytes(20_000_000))
        refused = post_recording(server, data[:900_000])
        assert refused.status_code == 507
        assert "Delete runs" in refused.json()["detail"]
        assert files(server) == {"other"}


async def stream_pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("cut", [1, 7, 64, 100_000])
def test_form_file_is_complete_however_the_body_is_split(tmp_path: Path, cut: int) -> None:
    content = bytes(range(256)) * 40 + b"\r\n--x\r\n--boundary-not\r\n"
    form = (
        b'--xyz\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="recording"; filename="a"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + content + b"\r\n--xyz--\r\n"
    )
    parts = [form[at : at + cut] for at in range(0, len(form), cut)]
    target = tmp_path / "received"
    received_counts: list[int] = []
    content_type = "multipart/form-data; boundary=xyz"
    asyncio.run(
        receive_file(
            stream_pieces(*parts),
            content_type,
            target,
            lambda _, received: received_counts.append(received),
        )
    )
    assert target.read_bytes() == content
    assert received_counts == [0]


def test_incomplete_form_is_refused(tmp_path: Path) -> None:
    form = b'--xyz\r\nContent-Disposition: form-data; name="recording"\r\n\r\nhalf of it'
    content_type = "multipart/form-data; boundary=xyz"
    with pytest.raises(InvalidInput, match="form"):
        asyncio.run(
            receive_file(stream_pieces(form), content_type, tmp_path / "received", lambda *_: None)
        )


def test_import_whose_process_is_killed_or_too_slow_leaves_nothing(
    tmp_path: Path, trained_run: TrainedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs(tmp_path / "recordings")
    data = trained_run.recording.read_bytes()

    async def killed() -> None:
        uploads = Imports(runs)
        importing = asyncio.create_task(uploads.import_recording(stream_pieces(data), ""))
        while uploads.pid is None:
            await asyncio.sleep(0.001)
        os.kill(uploads.pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="ended while it read this one"):
            await importing

    async def killed_while_it_creates() -> None:
        monkeypatch.setattr(imports, "new_run_id", lambda: "run")
        runs.new_path("run").with_suffix(CREATED_SUFFIX).write_bytes(b"half")
        await killed()
        monkeypatch.undo()

    async def slow() -> None:
        with pytest.raises(Unavailable, match="took longer"):
            await Imports(runs, Deadlines(recording=0.01)).import_recording(stream_pieces(data), "")

    async def too_many() -> None:
        uploads = Imports(runs)
        opened = asyncio.Event()

        async def blocked_body() -> AsyncIterator[bytes]:
            await opened.wait()
            yield b""

        waiting = [
            asyncio.create_task(uploads.import_recording(blocked_body(), "")) for _ in range(4)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="Other recordings"):
            await uploads.import_recording(stream_pieces(data), "")
        opened.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(result, InvalidInput) for result in results)

    async def too_large() -> None:
        with pytest.raises(TooLarge, match="larger than"):
            await Imports(runs).import_recording(stream_pieces(data), "")

    for scenario in (killed, killed_while_it_creates, slow, too_many):
        asyncio.run(scenario())
        assert leftovers(tmp_path) == []
    monkeypatch.setattr(imports, "max_recording_bytes", lambda _: 1000)
    asyncio.run(too_large())
    assert leftovers(tmp_path) == []


def test_slowest_import_gives_its_place_to_another(tmp_path: Path, trained_run: TrainedRun) -> None:
    data = trained_run.recording.read_bytes()

    async def scenario() -> None:
        uploads = Imports(Runs(tmp_path / "recordings"), Deadlines(body=0.01))
        opened = asyncio.Event()

        async def trickle(size: int) -> AsyncIterator[bytes]:
            yield b" " * size
            await opened.wait()

        waiting = [
            asyncio.create_task(uploads.import_recording(trickle(size), ""))
            for size in (300, 200, 100, 400)
        ]
        await asyncio.sleep(1)  # far beyond the deadline: all of them are slow by now
        assert await uploads.import_recording(stream_pieces(data), "")
        assert [task.done() for task in waiting] == [False, False, True, False]
        opened.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        kinds = [Unavailable if task == 2 else InvalidInput for task in range(4)]
        assert all(isinstance(*pair) for pair in zip(results, kinds, strict=True)), results

    asyncio.run(scenario())


def leftovers(home: Path) -> list[Path]:
    """Return all files and folders in a home, except for the folder of recordings."""
    return sorted(set(home.rglob("*")) - {home / "recordings"})


def test_files_of_an_abandoned_import_or_start_are_removed_after_a_day(tmp_path: Path) -> None:
    uploads = Imports(Runs(tmp_path / "recordings"))
    (tmp_path / "incoming-abc").mkdir()
    (tmp_path / "incoming-abc" / "run").write_bytes(b"half")
    (tmp_path / "recordings" / "run.incoming-wal").write_bytes(b"half")
    (tmp_path / "recordings" / "run.new").write_bytes(b"half")
    recording = tmp_path / "recordings" / "run.stnscope"
    recording.write_bytes(b"content")
    uploads.remove_abandoned()
    assert len(leftovers(tmp_path)) == 5, "it may belong to another server"
    for path in leftovers(tmp_path):
        os.utime(path, (1e9, 1e9))
    uploads.remove_abandoned()
    assert leftovers(tmp_path) == [recording]
