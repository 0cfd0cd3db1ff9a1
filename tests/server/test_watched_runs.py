"""A watched run is listed, read, streamed, exported and deleted as others; not controlled."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.recording.writer import RecordingWriter
from stnscope.backend.server import schemas
from stnscope.backend.server.runs import Runs
from stnscope.backend.server.throughput import DEFAULT_IMAGES_PER_SECOND, images_per_second
from tests.live_server import Server, receive, send
from tests.server.in_process import serve_in_thread
from tests.watched_run import MODEL, watched_frame, write_watched_run

STEPS = 60
SCALARS = ["scalar 0", "scalar 1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    recordings = home / "recordings"
    recordings.mkdir()
    write_watched_run(recordings / f"ended{SUFFIX}", steps=STEPS)
    for status in ("queued", "running"):
        write_watched_run(recordings / f"{status}{SUFFIX}", steps=3, status=status)
    return home


@pytest.fixture(scope="module")
def watching(home: Path) -> Iterator[Server]:
    with serve_in_thread(home) as server:
        yield server


def test_it_is_listed_with_what_is_known(watching: Server) -> None:
    listed = {run["id"]: run for run in watching.http.get("/runs").json()}
    TypeAdapter(list[schemas.Run]).validate_python([*listed.values()], extra="forbid")
    run = listed["ended"]
    assert run == watching.get_run("ended")
    assert (run["watched"], run["owned"], run["can"]) == (True, False, ["delete", "rename"])
    assert run["config"] == {
        "model": MODEL,
        "parameters": 123_456,
        "transformers": 1,
        "epochs": None,
        "probes": {"count": 3, "moving": False},
        "picture": None,
    }
    assert (run["settings"], run["transformers"]) == (None, 1)
    assert "a program of its own" in run["picture_refusal"]


@pytest.mark.parametrize("name", ["queued", "running"])
def test_one_whose_program_is_gone_is_interrupted_and_is_not_started(
    watching: Server, name: str
) -> None:
    run = watching.get_run(name)
    assert (run["status"], run["owned"], run["can"]) == ("interrupted", False, ["delete", "rename"])


@pytest.mark.parametrize("query", ["", "?every=7", "?points=12", "?after=58"])
def test_its_scalars_are_columns_of_its_metrics(watching: Server, query: str) -> None:
    columns = watching.http.get(f"/runs/ended/metrics{query}").json()
    schemas.Metrics.model_validate(columns)
    scalars = columns.pop("scalars")
    assert list(scalars) == SCALARS
    assert {len(column) for column in columns.values()} == {len(columns["step"])}
    for step, first, second in zip(columns["step"], *scalars.values(), strict=True):
        assert (first, second) == (step, None if step % 2 else step + 0.1)


def test_its_stream_has_the_run_its_scalars_and_frames(watching: Server, home: Path) -> None:
    path = home / "recordings" / f"live{SUFFIX}"
    write_watched_run(path, steps=2, status="running")
    with RecordingWriter.open(path) as writer, watching.open_stream("live") as viewer:
        run = receive(viewer, "run")
        assert (run["status"], run["can"]) == ("running", ["rename"])
        send(viewer, type="hello", last_step=None)
        metrics = receive(viewer, "metrics")
        schemas.MetricsUpdate.model_validate(metrics)
        assert metrics["scalars"]["scalar 1"] == [0.1, None, 2.1]
        with writer.transaction():
            writer.add_step(3, 0, {"loss": 0.5}, {"learning rate": 0.1})
            writer.add_frame(watched_frame(3), attempt=0, kept=False)
            writer.update(step=3)
        newer = receive(viewer, "metrics")
        assert (newer["step"], newer["scalars"]) == ([3], {"learning rate": [0.1]})
        send(viewer, type="follow")
        assert Frame.decode(receive(viewer, "frame")).info["step"] == 3


@pytest.mark.parametrize("name", ["ended", "running"])
@pytest.mark.parametrize(
    "request_body",
    [{"action": "pause"}, {"action": "resume"}, {"action": "stop"}, {"slow_motion": 1.0}],
    ids=json.dumps,
)
def test_its_program_alone_controls_it(
    watching: Server, name: str, request_body: dict[str, object]
) -> None:
    response = watching.http.post(f"/runs/{name}/control", json=request_body)
    assert response.status_code == 409
    assert "a program of its own" in response.json()["detail"]


def test_no_picture_is_added_to_its_probes(watching: Server) -> None:
    response = watching.http.post("/runs/ended/probes", files={"image": ("one.png", b"")})
    assert response.status_code == 409
    assert "a program of its own" in response.json()["detail"]


def test_it_is_exported_downloaded_imported_and_deleted(watching: Server) -> None:
    assert watching.http.get("/runs/ended/export").content[:6] == b"GIF89a"
    moving = watching.http.get("/runs/ended/export?layout=moving")
    assert (moving.status_code, "do not move" in moving.json()["detail"]) == (409, True)
    data = watching.http.get("/runs/ended/recording").content
    imported = watching.http.post("/recordings", files={"recording": ("run.stnscope", data)})
    run = imported.raise_for_status().json()
    assert (run["watched"], run["imported"], run["can"]) == (True, True, ["delete", "rename"])
    one, other = (
        watching.http.get(f"/runs/{name}/metrics").json() for name in ("ended", run["id"])
    )
    assert one == other
    frame = watching.http.get(f"/runs/{run['id']}/frames/{STEPS}").content
    assert Frame.decode(frame).info["epoch"] is None
    assert watching.http.delete(f"/runs/{run['id']}").status_code == 204


def test_its_speed_is_not_that_of_our_networks(home: Path) -> None:
    assert images_per_second(Runs(home / "recordings")) == DEFAULT_IMAGES_PER_SECOND


def test_commands_list_it_and_say_why_it_cannot_be_resumed(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    assert main(["runs", "--home", str(tmp_path)]) == 0
    assert (
        f"step     60/?       accuracy      -  {MODEL}, a loop of its own"
        in capsys.readouterr().out
    )
    for name in ("ended", "running"):
        assert main(["resume", name, "--home", str(tmp_path)]) == 2
        assert "a program of its own" in capsys.readouterr().err
