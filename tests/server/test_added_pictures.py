"""A picture is added to the probes of a real run on a real server."""

import os
import signal
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image

from stnscope.backend.experiment.frames.frame import Frame
from tests.live_server import Server, receive, send, serve, wait_until
from tests.server.conftest import LONG, MINIMAL_SERVER
from tests.server.routes.test_pictures import picture
from tests.server.routes.test_runs import trainer_of


def add_picture(server: Server, run_id: str, data: bytes, **form: str) -> httpx.Response:
    return server.http.post(f"/runs/{run_id}/probes", files={"image": ("own", data)}, data=form)


def frame(server: Server, run_id: str, step: int) -> Frame:
    return Frame.decode(server.http.get(f"/runs/{run_id}/frames/{step}").content)


def test_added_picture_is_observed_after_pause_kill_and_resume(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 2)
    with server.open_stream(run_id) as viewer:
        send(viewer, type="hello", last_step=None)
        send(viewer, type="follow")
        response = add_picture(server, run_id, picture(), label="7")
        assert response.status_code == 202, response.text
        assert (response.json()["id"], response.json()["probes"]) == (run_id, 3)
        assert any("inverted" in note for note in response.json()["notes"])
        for _ in range(1000):
            send(viewer, type="credit", frames=1)
            observed = Frame.decode(receive(viewer, "frame"))
            if "joined" in observed.info:
                break
    assert (observed.info["joined"], observed.info["labels"]) == ([2], [0, 1, 7])
    # An input of another size is sent whole.
    assert observed.tensors["input"].shape == (3, 48, 48, 1)
    assert frame(server, run_id, 0).tensors["input"].shape[0] == 2

    paused = server.control(run_id, "pause").json()
    unlabelled = add_picture(server, run_id, picture("JPEG"))
    assert unlabelled.json()["probes"] == 4
    paused_frame = frame(server, run_id, paused["step"])
    assert paused_frame.info["step"] == paused["step"]
    assert paused_frame.info["labels"] == [0, 1, 7, None]
    server.control(run_id, "resume")
    step = server.wait_for_step(run_id, paused["step"] + 2)["step"]

    os.kill(trainer_of(server, run_id), signal.SIGKILL)
    server.wait_for_status(run_id, "interrupted")
    assert server.control(run_id, "resume").status_code == 200
    server.wait_for_step(run_id, step + 2)
    resumed_frame = frame(server, run_id, step + 2)
    assert resumed_frame.info["labels"] == [0, 1, 7, None]
    np.testing.assert_array_equal(resumed_frame.tensors["input"][2], observed.tensors["input"][2])

    export = server.http.get(f"/runs/{run_id}/export", params={"frames": 3, "samples": 4})
    assert export.status_code == 200, export.text
    with Image.open(BytesIO(export.content)) as gif:
        assert getattr(gif, "n_frames", 1) == 3


@pytest.mark.parametrize(
    ("data", "form", "status", "message"),
    [
        (b"", {}, 422, "empty"),
        (b"GIF89a", {}, 422, ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, 422, "PNG"),
        (picture()[:200], {}, 422, "ends before"),
        (bytes(10_500_000), {}, 413, "10 MB"),
        (picture(), {"label": "seven"}, 422, "no class 'seven'"),
    ],
)
def test_unusable_picture_or_label_is_refused_with_a_reason(
    server: Server, running: str, data: bytes, form: dict[str, str], status: int, message: str
) -> None:
    response = add_picture(server, running, data, **form)
    assert response.status_code == status, response.text
    assert message in response.json()["detail"]
    if status == 422:
        assert response.json()["field"] == ("label" if form else "image")
    run = server.get_run(running)
    assert (run["probes"], run["status"]) == (2, "running")


def test_add_picture_needs_a_run_in_training(server: Server, finished: str) -> None:
    response = add_picture(server, finished, picture())
    assert response.status_code == 409
    assert "paused or running" in response.json()["detail"]
    assert "finished" in response.json()["detail"]
    assert add_picture(server, "none", picture()).status_code == 404
    assert add_picture(server, "example-digits", picture()).status_code == 409


def test_pictures_can_be_added_up_to_the_limit_of_probes(server: Server) -> None:
    run_id = server.start_run(epochs=50, probes={"count": 63})
    server.wait_for_step(run_id, 1)
    try:
        assert add_picture(server, run_id, picture()).json()["probes"] == 64
        refused = add_picture(server, run_id, picture())
        assert refused.status_code == 409
        assert "has 64 probes" in refused.json()["detail"]
    finally:
        server.control(run_id, "stop")


def test_add_picture_to_a_run_of_another_process_is_a_conflict(server: Server) -> None:
    with serve(server.home, *MINIMAL_SERVER) as other:
        run_id = other.start_run(**LONG)
        other.wait_for_step(run_id, 1)
        wait_until(lambda: server.get_run(run_id)["status"] == "running")
        refused = add_picture(server, run_id, picture())
        assert refused.status_code == 409
        assert "watched, not controlled" in refused.json()["detail"]
        assert add_picture(other, run_id, picture()).status_code == 202
