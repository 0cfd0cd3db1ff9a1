"""Exports of runs, over HTTP and from the command line."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.frames.frame import Frame
from tests.live_server import Server, wait_until


def gif_frames(data: bytes) -> int:
    with Image.open(BytesIO(data)) as image:
        assert image.format == "GIF"
        return getattr(image, "n_frames", 1)


def test_export_has_the_first_epoch_s_tenths_by_default(server: Server, finished: str) -> None:
    response = server.http.get(f"/runs/{finished}/export")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/gif"
    assert f"{finished}-evolution.gif" in response.headers["content-disposition"]
    assert gif_frames(response.content) == 11


def test_run_in_training_exports_the_frames_so_far(server: Server, running: str) -> None:
    wait_until(lambda: server.get_run(running)["frames"] >= 5)
    response = server.http.get(f"/runs/{running}/export", params={"frames": 5, "samples": 2})
    assert gif_frames(response.content) == 5
    assert server.get_run(running)["status"] == "running"


def test_run_that_is_stopped_meanwhile_is_exported_as_it_was(server: Server, run_id: str) -> None:
    wait_until(lambda: server.get_run(run_id)["frames"] >= 6)
    request = {"format": "apng", "layout": "stage", "first": 0, "scale": 2}
    job = server.http.post(f"/runs/{run_id}/exports", json=request).json()

    def state() -> dict[str, Any]:
        return dict(server.http.get(f"/exports/{job['id']}").json())

    wait_until(lambda: state()["done"])
    before = server.recorded_steps(run_id)
    assert server.control(run_id, "stop").status_code == 200
    server.wait_for_status(run_id, "stopped")
    wait_until(lambda: state()["status"] == "finished")
    count = state()["total"]
    with Image.open(BytesIO(server.http.get(f"/exports/{job['id']}/file").content)) as image:
        assert getattr(image, "n_frames", 1) == count <= len(before)
        title = image.text["Title"]  # type: ignore[attr-defined]
    assert f"steps 0 to {before[count - 1]}" in title
    assert server.recorded_steps(run_id)[:count] == before[:count]


def test_moving_layout_shows_the_final_lap(server: Server, finished: str) -> None:
    response = server.http.get(f"/runs/{finished}/export", params={"layout": "moving"})
    assert gif_frames(response.content) == 60
    assert f"{finished}-moving.gif" in response.headers["content-disposition"]
    laps = server.http.get(f"/runs/{finished}/frames").json()["laps"]
    assert laps == [[24, number] for number in range(60)]
    frame = Frame.decode(server.http.get(f"/runs/{finished}/frames/24?lap=7").content)
    assert (frame.info["lap"], frame.info["step"]) == (7, 24)


def test_moving_layout_of_a_run_without_moving_probes_is_refused(
    server: Server, endless: str
) -> None:
    response = server.http.get(f"/runs/{endless}/export", params={"layout": "moving"})
    assert response.status_code == 409
    assert "do not move" in response.json()["detail"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"samples": 99}, "samples"),
        ({"samples": 3}, "samples"),
        ({"first": 9, "last": 2}, "first"),
        ({"fps": 0}, "fps"),
        ({"layout": "spiral"}, "layout"),
        ({"format": "exe"}, "format"),
        ({"sample": 1}, "sample"),
    ],
)
def test_invalid_export_options_name_the_field(
    server: Server, finished: str, options: dict[str, str], field: str
) -> None:
    response = server.http.get(f"/runs/{finished}/export", params=options)
    assert response.status_code == 422, response.text
    assert response.json()["field"] == field


def test_export_job_has_progress_file_and_cancel(server: Server, finished: str) -> None:
    job = server.http.post(f"/runs/{finished}/exports", json={"frames": 4}).json()
    assert job["run"] == finished

    def is_finished() -> bool:
        state = server.http.get(f"/exports/{job['id']}").json()
        assert state["status"] in ("running", "finished")
        return bool(state["status"] == "finished")

    wait_until(is_finished)
    state = server.http.get(f"/exports/{job['id']}").json()
    file = server.http.get(f"/exports/{job['id']}/file").content
    assert (state["done"], state["total"], state["size"]) == (4, 4, len(file))
    assert gif_frames(file) == 4
    assert server.http.delete(f"/exports/{job['id']}").status_code == 204
    assert server.http.get(f"/exports/{job['id']}").status_code == 404


def test_preview_says_what_the_file_will_be(server: Server, finished: str) -> None:
    options: dict[str, str | int] = {"layout": "stage", "format": "apng", "fps": 10}
    path = f"/runs/{finished}/export"
    shown = server.http.get(f"{path}/preview", params=options).json()
    file = server.http.get(path, params=options)
    with Image.open(BytesIO(file.content)) as image:
        assert (shown["width"], shown["height"]) == image.size
        assert shown["frames"] == getattr(image, "n_frames", 1)
        with Image.open(BytesIO(b64decode(shown["image"].partition(",")[2]))) as first:
            assert first.convert("RGB").tobytes() == image.convert("RGB").tobytes()
    assert shown["seconds"] == shown["frames"] / 10
    assert len(file.content) / 2 < shown["bytes"] < len(file.content) * 2
    refused = server.http.get(f"{path}/preview", params={"compare": "none"})
    assert refused.status_code == 404


def test_jobs_wait_in_line_and_end_with_their_run(
    server: Server, finished: str, tmp_path: Path
) -> None:
    recording = server.http.get(f"/runs/{finished}/recording").content
    run = server.http.post("/recordings", files={"recording": recording}).json()["id"]
    request = {"format": "mp4", "layout": "stage", "scale": 4}
    jobs = [server.http.post(f"/runs/{run}/exports", json=request).json() for _ in range(3)]
    assert [job["waiting"] for job in jobs] == [0, 1, 2]
    assert server.http.delete(f"/runs/{run}").status_code == 204
    for job in jobs:
        state = server.http.get(f"/exports/{job['id']}").json()
        assert (state["status"], state["error"]) == (
            "failed",
            f"Run {run} was deleted; its export has ended.",
        )
        assert server.http.get(f"/exports/{job['id']}/file").status_code == 404


def test_export_command_writes_the_same_file(server: Server, finished: str, tmp_path: Path) -> None:
    target = tmp_path / "run.gif"
    home = str(server.home)
    assert main(["export", finished, str(target), "--home", home]) == 0
    assert target.read_bytes() == server.http.get(f"/runs/{finished}/export").content


def test_export_command_prints_what_is_wrong(
    server: Server, finished: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "none", "--home", str(server.home)]) == 2
    assert "no run 'none'" in capsys.readouterr().err
    assert main(["export", finished, "--home", str(server.home), "--fps", "x"]) == 2
    assert "fps" in capsys.readouterr().err
