"""A real server shows the training loop of another program, which records itself."""

import asyncio
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

import stnscope
from stnscope.backend.commands.main import main
from stnscope.backend.experiment.errors import Conflict, InvalidInput, TrainerTimeout
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.probes.added_pictures import encode_image
from stnscope.backend.experiment.recording.reader import SUFFIX
from stnscope.backend.experiment.watching.loop_pictures import PICTURE_SUFFIX
from stnscope.backend.experiment.watching.rate_factors import ALL
from stnscope.backend.experiment.watching.watched_run import WatchedRun
from stnscope.backend.server.requests.watched_loops import WatchedLoops
from stnscope.backend.server.runs import Runs, check_changeable
from tests.experiment.watching.networks import TransformerNet
from tests.live_server import Server, receive, send, wait_until
from tests.timeouts import TIMEOUT_SECONDS


@pytest.fixture
def watched(server: Server) -> Iterator[WatchedRun]:
    """A loop of this process after three steps, recorded into the server's home."""
    torch.manual_seed(0)
    run = stnscope.watch(
        TransformerNet(),
        torch.rand(3, 1, 12, 12),
        labels=[0, 1, 2],
        classes=list("abcd"),
        every=1,
        home=server.home,
    )
    assert isinstance(run, WatchedRun)
    for step in range(3):
        run.step(loss=3.0 - step, temperature=20 + step)
    yield run
    run.end()
    wait_until(lambda: server.http.delete(f"/runs/{run.id}").status_code in (204, 404))


def test_live_loop_is_streamed_and_not_controlled(server: Server, watched: WatchedRun) -> None:
    with server.open_stream(watched.id) as viewer:
        send(viewer, type="hello", last_step=None)
        send(viewer, type="follow")
        assert receive(viewer, "run")["watched"]
        wait_until(lambda: server.get_run(watched.id)["step"] == 3)
        watched.step(loss=0.5, temperature=30)
        seen: dict[int, float | None] = {}
        while 4 not in seen:
            message = receive(viewer, "metrics")
            column = message["scalars"].get("temperature", [None] * len(message["step"]))
            seen |= dict(zip(message["step"], column, strict=True))
    assert seen[4] == 30
    run = server.get_run(watched.id)
    assert (run["status"], run["can"], run["owned"]) == ("running", ["rename"], False)
    assert (run["settings"], run["epoch"], run["transformers"]) == (None, None, 1)
    for action in ("pause", "stop", "step"):
        refused = server.control(watched.id, action)
        assert refused.status_code == 409
        assert "a program of its own" in refused.json()["detail"]
    assert server.post_control(watched.id, learning_rate=0.1).status_code == 409
    picture = {"image": ("a.png", b"x")}
    assert server.http.post(f"/runs/{watched.id}/probes", files=picture).status_code == 409
    assert server.http.delete(f"/runs/{watched.id}").status_code == 409


@pytest.fixture
def pausable(watched: WatchedRun) -> Iterator[WatchedRun]:
    """The same loop, which goes on in another thread, with a pause point after each step."""
    network = TransformerNet()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    is_over = threading.Event()

    def train() -> None:
        while not is_over.is_set():
            watched.step(loss=1.0)
            watched.pause_point(optimiser)
            is_over.wait(0.01)

    thread = threading.Thread(target=train)
    thread.start()
    yield watched
    is_over.set()
    watched.end()
    thread.join()


def test_loop_with_a_pause_point_is_controlled(server: Server, pausable: WatchedRun) -> None:
    def run() -> dict[str, Any]:
        return server.get_run(pausable.id)

    wait_until(lambda: run()["can"] == ["pause", "change", "rename"])
    paused = server.control(pausable.id, "pause").json()
    assert (paused["status"], paused["can"]) == ("paused", ["resume", "step", "change", "rename"])
    stepped = server.control(pausable.id, "step").json()
    assert (stepped["status"], stepped["step"]) == ("paused", run()["step"])
    assert stepped["step"] == paused["step"] + 1
    wait_until(lambda: run()["last_step"] == stepped["step"])
    changed = server.post_control(pausable.id, rate_factors={ALL: 0.5}, slow_motion=0.02).json()
    assert changed["settings"] == {"rate_factors": {ALL: 0.5}, "slow_motion": 0.02}
    for wrong, status in (
        ({"action": "pause"}, 409),
        ({"action": "stop"}, 409),
        ({"learning_rate": 0.1}, 422),
        ({"rate_factors": {"nose": 1}}, 422),
        ({"rate_factors": {ALL: -1}}, 422),
    ):
        assert server.post_control(pausable.id, **wrong).status_code == status
    assert run()["status"] == "paused"
    assert server.control(pausable.id, "resume").json()["status"] == "running"
    pausable.end()
    assert server.control(pausable.id, "pause").status_code == 409
    assert run()["can"] == ["delete", "rename"]


def test_picture_goes_through_the_network_of_a_loop(
    server: Server, pausable: WatchedRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def post(picture: bytes, **form: str) -> httpx.Response:
        form = {"weights": f"run:{pausable.id}"} | form
        return server.http.post("/transform", files={"image": ("a.png", picture)}, data=form)

    listed = {card["name"]: card["title"] for card in server.http.get("/weights").json()}
    assert listed[f"run:{pausable.id}"] == "TransformerNet, as it is being trained"
    file = BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "PNG")
    response = post(file.getvalue())
    assert response.status_code == 200, response.text
    frame = Frame.decode(response.content)
    assert frame.tensors["input"].shape == (1, 12, 12, 1)
    assert (frame.info["weights"], frame.transformers) == (f"run:{pausable.id}", ["st"])
    path = tmp_path / "a.png"
    path.write_bytes(file.getvalue())
    command = ["transform", str(path), "--weights", f"run:{pausable.id}"]
    assert main([*command, "--home", str(server.home)]) == 0
    assert "theta of st" in capsys.readouterr().out
    assert post(b"no picture").status_code == 422
    assert post(file.getvalue(), theta='{"st": [1, 0, 0, 0, 1, 0]}').status_code == 422
    pausable.end()
    assert post(file.getvalue()).status_code == 409


def test_many_pictures_are_answered_and_do_not_delay_control(
    server: Server, pausable: WatchedRun
) -> None:
    wait_until(lambda: server.get_run(pausable.id)["can"] == ["pause", "change", "rename"])
    server.control(pausable.id, "pause")
    image = encode_image(np.zeros((12, 12, 1), np.uint8))
    runs = Runs(server.home / "recordings")
    loops = WatchedLoops(runs, timeout=TIMEOUT_SECONDS)

    async def transform_all() -> list[bytes]:
        run = runs.summary(pausable.id)
        return await asyncio.gather(*(loops.transform(run, image) for _ in range(12)))

    assert all(Frame.decode(frame).transformers for frame in asyncio.run(transform_all()))
    assert server.control(pausable.id, "resume").json()["status"] == "running"


def test_picture_of_a_loop_that_ends_or_stands_still_is_withdrawn(
    server: Server, watched: WatchedRun
) -> None:
    runs = Runs(server.home / "recordings")
    path = runs.path(watched.id)
    wait_until(lambda: runs.summary(watched.id)["step"] == 3)
    run = runs.summary(watched.id)
    with pytest.raises(TrainerTimeout, match="has not taken the picture"):
        asyncio.run(WatchedLoops(runs, timeout=0.1).transform(run, ""))
    assert not path.with_suffix(PICTURE_SUFFIX).exists()
    # Ended meanwhile: the summary is from before.
    watched.end()
    with pytest.raises(Conflict, match="just ended"):
        asyncio.run(WatchedLoops(runs, timeout=TIMEOUT_SECONDS).transform(run, ""))
    for name in (".request-0a", ".picture", ".result-12-new", ".results"):
        path.with_suffix(name).write_text("left by a server that was killed")
    runs.delete(watched.id)
    assert [each.name for each in path.parent.glob(f"{watched.id}*")] == [f"{watched.id}.results"]
    path.with_suffix(".results").unlink()


def test_request_that_the_loop_does_not_reach_in_time_takes_effect_later(
    server: Server, watched: WatchedRun
) -> None:
    watched.pause_point()
    wait_until(lambda: server.get_run(watched.id)["can"] == ["pause", "change", "rename"])
    recording = server.home / "recordings" / f"{watched.id}{SUFFIX}"
    runs = Runs(recording.parent)
    loops = WatchedLoops(runs, timeout=0.1)
    with pytest.raises(TrainerTimeout, match="The loop reached no pause point"):
        asyncio.run(loops.change(runs.summary(watched.id), {"slow_motion": 0.5}))
    watched.pause_point()
    wait_until(lambda: server.get_run(watched.id)["settings"]["slow_motion"] == 0.5)


def test_trained_run_has_no_rate_factors() -> None:
    with pytest.raises(InvalidInput, match="learning_rate"):
        check_changeable({"rate_factors": {}}, {"settings": {"learning_rate": 0.1}})
