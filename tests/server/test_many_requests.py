"""Fifty requests of all kinds at once: all are answered rightly, and leave a consistent state."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from shutil import copy

import httpx

from stnscope.backend.experiment.frames.frame import Frame
from tests.conftest import TrainedRun
from tests.live_server import Server, wait_until
from tests.server.conftest import LONG
from tests.server.routes.test_pictures import picture

Request = tuple[str, str, Callable[[httpx.Client], httpx.Response]]
"""What it does, its path in the description, and what sends it."""

SHORT = {"epochs": 1, "batch_size": 1000, "probes": {"count": 2}}
ALLOWED = {
    "start": {201},
    "export": {202},
    "upload": {200, 503},
    "import": {201, 503},
    "picture": {202, 503},
    "stop": {200},
    "delete": {204},
}
"""503 is for those that wait in a queue of limited length; they may try again."""


def requests(
    server: Server, trained: TrainedRun, trained_on: str, queued: list[str]
) -> list[Request]:
    """Return fifty requests, each of which can succeed whatever the others do.

    Args:
        server: for which the requests are.
        trained: a finished run, to import and to export.
        trained_on: a run in training.
        queued: runs to stop.
    """
    recording, image = trained.recording.read_bytes(), picture()
    deleted = [copy_recording(server, trained, f"deleted-{number}") for number in range(6)]
    octets = {"Content-Type": "application/octet-stream"}
    starts: list[Request] = [
        ("start", "/runs", lambda http: http.post("/runs", json=SHORT)) for _ in range(10)
    ]
    exports: list[Request] = [
        (
            "export",
            "/runs/{run_id}/exports",
            lambda http: http.post(f"/runs/{trained.id}/exports", json={"frames": 2, "samples": 1}),
        )
        for _ in range(5)
    ]
    uploads: list[Request] = [
        ("upload", "/transform", lambda http: http.post("/transform", files={"image": image}))
        for _ in range(10)
    ]
    imports: list[Request] = [
        (
            "import",
            "/recordings",
            lambda http: http.post("/recordings", content=recording, headers=octets),
        )
        for _ in range(5)
    ]
    pictures: list[Request] = [
        (
            "picture",
            "/runs/{run_id}/probes",
            lambda http: http.post(f"/runs/{trained_on}/probes", files={"image": image}),
        )
        for _ in range(8)
    ]
    stops: list[Request] = [
        (
            "stop",
            "/runs/{run_id}/control",
            lambda http, run_id=run_id: http.post(  # type: ignore[misc]
                f"/runs/{run_id}/control", json={"action": "stop"}
            ),
        )
        for run_id in queued
    ]
    deletes: list[Request] = [
        (
            "delete",
            "/runs/{run_id}",
            lambda http, run_id=run_id: http.delete(f"/runs/{run_id}"),  # type: ignore[misc]
        )
        for run_id in deleted
    ]
    return starts + exports + uploads + imports + pictures + stops + deletes


def copy_recording(server: Server, trained: TrainedRun, run_id: str) -> str:
    copy(trained.recording, server.home / "recordings" / f"{run_id}.stnscope")
    return run_id


def test_fifty_requests_at_once_are_answered_rightly(
    own_server: Server, trained_run: TrainedRun
) -> None:
    server = own_server
    trained_run.copy_into(server.home)
    # Two trainers are busy, so that all others are queued.
    training, other = (server.start_run(**LONG) for _ in range(2))
    for run_id in (training, other):
        server.wait_for_step(run_id, 1)
        server.post_control(run_id, slow_motion=0.1).raise_for_status()
    queued = [server.start_run(**SHORT) for _ in range(6)]

    sent = requests(server, trained_run, training, queued)
    assert len(sent) == 50
    Random(0).shuffle(sent)
    limits = httpx.Limits(max_connections=len(sent))
    with (
        httpx.Client(base_url=server.http.base_url, timeout=120, limits=limits) as http,
        ThreadPoolExecutor(len(sent)) as threads,
    ):
        responses = list(threads.map(lambda request: request[2](http), sent))

    described = server.http.get(f"http://127.0.0.1:{server.port}/openapi.json").json()["paths"]
    for (kind, path, _), response in zip(sent, responses, strict=True):
        assert response.status_code in ALLOWED[kind], f"{kind}: {response.text}"
        method = response.request.method.lower()
        assert str(response.status_code) in described[f"/api{path}"][method]["responses"]
    done = [
        (kind, response)
        for (kind, _, _), response in zip(sent, responses, strict=True)
        if response.is_success
    ]
    counts = Counter(kind for kind, _ in done)
    assert counts["upload"]
    assert counts["import"]
    check_results(server, done)
    check_state(server, done, training, {training, other, *queued, trained_run.id})


def check_results(server: Server, done: list[tuple[str, httpx.Response]]) -> None:
    """Check what uploads and exports have made."""
    for kind, response in done:
        if kind == "upload":
            assert Frame.decode(response.content).tensors["output.st"].shape[0] == 1
        if kind == "export":
            address = f"/exports/{response.json()['id']}"
            wait_until(lambda: server.http.get(address).json()["status"] != "running")  # noqa: B023
            assert server.http.get(f"{address}/file").content.startswith(b"GIF8")


def stop(server: Server, run_id: str) -> None:
    response = server.control(run_id, "stop")
    assert response.status_code == 200, response.text


def check_state(
    server: Server, done: list[tuple[str, httpx.Response]], training: str, others: set[str]
) -> None:
    """Check that the runs, their files and what they contain are those that were requested."""
    made = {response.json()["id"] for kind, response in done if kind in ("start", "import")}
    assert len(made) == sum(kind in ("start", "import") for kind, _ in done)
    runs = {run["id"]: run for run in server.http.get("/runs").json()}
    assert runs.keys() == made | others
    counts = Counter(kind for kind, _ in done)
    assert runs[training]["probes"] == 2 + counts["picture"]
    started = [response.json()["id"] for kind, response in done if kind == "start"]
    for run_id in started:  # none begins while the others are stopped
        stop(server, run_id)
    for run in server.http.get("/runs", params={"live": True}).json():
        stop(server, run["id"])
    runs = {run["id"]: run for run in server.http.get("/runs").json()}
    assert {run["status"] for run in runs.values()} == {"stopped", "finished"}
    folder = server.home / "recordings"
    for run_id in runs:
        with closing(sqlite3.connect(folder / f"{run_id}.stnscope")) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    # SQLite leaves a log where two connections close a recording at the same moment.
    kept = {".stnscope", ".stnscope-wal", ".stnscope-shm", ".lock"}
    wait_until(lambda: {path.suffix for path in folder.iterdir()} <= kept)
    assert server.http.get("/health").json()["status"] == "ok"
