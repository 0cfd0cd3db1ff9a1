"""Child processes that are stopped by a signal: told, ended, and in nobody's way."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stnscope.backend.server.deadlines import Deadlines
from tests.live_server import Server, child_pids, wait_until
from tests.server.conftest import LONG
from tests.server.in_process import serve_in_thread

MODULES = ("trainer_main", "inference_main")
QUICK = Deadlines(silence=2)
PICTURE = Path(__file__).parents[2] / "dashboard" / "assets" / "examples" / "corner.png"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that trains one run at a time."""
    with serve_in_thread(tmp_path / "home", deadlines=QUICK, trainers=1) as server:
        yield server


@contextmanager
def stopped(module: str) -> Iterator[int]:
    """Stop the only child process of a kind; let it continue at the end if it still exists."""
    [pid] = child_pids(os.getpid(), module)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        if pid in child_pids(os.getpid(), module):
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def hung(server: Server) -> Iterator[str]:
    """A run whose trainer is stopped."""
    run_id = server.start_run(**LONG)
    server.wait_for_step(run_id, 2)
    with stopped("trainer_main"):
        wait_until(lambda: server.get_run(run_id)["unresponsive"])
        yield run_id


def test_run_with_a_stopped_trainer_can_be_stopped_and_resumed(server: Server, hung: str) -> None:
    run = server.get_run(hung)
    assert (run["status"], run["can"]) == ("running", ["stop", "delete"])
    refused = server.control(hung, "pause")
    assert refused.status_code == 409
    assert "does not respond" in refused.json()["detail"]
    assert server.control(hung, "stop").json()["status"] == "stopped"
    assert server.control(hung, "resume").status_code == 200
    assert not server.get_run(hung)["unresponsive"]


def test_run_with_a_stopped_trainer_can_be_deleted(server: Server, hung: str) -> None:
    assert server.http.delete(f"/runs/{hung}").status_code == 204
    assert server.http.get(f"/runs/{hung}").status_code == 404
    assert child_pids(os.getpid(), "trainer_main") == []


def test_other_runs_train_beside_a_stopped_trainer(server: Server, hung: str) -> None:
    other = server.start_run(**LONG)
    server.wait_for_step(other, 2)
    assert server.get_run(hung)["unresponsive"]


def test_trainer_that_continues_is_controlled_again(server: Server) -> None:
    run_id = server.start_run(**LONG)
    server.wait_for_step(run_id, 2)
    with stopped("trainer_main"):
        wait_until(lambda: server.get_run(run_id)["unresponsive"])
    wait_until(lambda: not server.get_run(run_id)["unresponsive"])
    assert server.control(run_id, "pause").json()["status"] == "paused"


def test_picture_is_transformed_though_the_process_was_stopped(server: Server) -> None:
    def transform() -> int:
        files = {"image": PICTURE.read_bytes()}
        return server.http.post("/transform", files=files).status_code

    assert transform() == 200
    with stopped("inference_main") as pid:
        assert transform() == 200
        assert pid not in child_pids(os.getpid(), "inference_main")


def test_server_with_stopped_processes_ends(tmp_path: Path) -> None:
    with serve_in_thread(tmp_path / "home", deadlines=QUICK) as server:
        run_id = server.start_run(**LONG)
        server.wait_for_step(run_id, 1)
        server.http.post("/transform", files={"image": PICTURE.read_bytes()})
        pids = [
            *child_pids(os.getpid(), "trainer_main"),
            *child_pids(os.getpid(), "inference_main"),
        ]
        assert len(pids) == 2
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    for module in ("trainer_main", "inference_main"):
        assert child_pids(os.getpid(), module) == []
