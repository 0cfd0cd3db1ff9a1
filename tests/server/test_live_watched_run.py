"""A real server shows the training loop of another program, which records itself."""

from collections.abc import Iterator

import pytest
import torch

import stnscope
from stnscope.backend.experiment.watching.watched_run import WatchedRun
from tests.experiment.watching.networks import TransformerNet
from tests.live_server import Server, receive, send, wait_until


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
    assert (run["status"], run["can"], run["owned"]) == ("running", [], False)
    assert (run["settings"], run["epoch"], run["transformers"]) == (None, None, 1)
    for action in ("pause", "stop", "step"):
        refused = server.control(watched.id, action)
        assert refused.status_code == 409
        assert "a program of its own" in refused.json()["detail"]
    assert server.post_control(watched.id, learning_rate=0.1).status_code == 409
    picture = {"image": ("a.png", b"x")}
    assert server.http.post(f"/runs/{watched.id}/probes", files=picture).status_code == 409
    assert server.http.delete(f"/runs/{watched.id}").status_code == 409
