"""Child processes stopped by a signal are reported, can be ended, and delay nothing else."""

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
QUICK = Deadlines(silence=4)
PICTURE = Path(__file__).parents[2] / "dashboard" / "assets" / "examples" / "corner.png"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that trains one run at a time."""
    home = tmp_path_factory.mktemp("home")
    with serve_in_thread(home, deadlines=QUICK, trainers=1) as server:
        yield server


@contextmanager
def stopped(module: str) -> Iterator[int]:
    """Stop the only child process of a kind; let it continue at the end if it still exists."""
    wait_until(lambda: len(child_pids(os.getpid(), module)) == 1)  # an earlier one may be ending
    [pid] = child_pids(os.getpid(), module)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        if pid in child_pids(os.getpid(), module):
            os.kill(pid, signal.SIGCONT)


def is_unresponsive(server: Server, run_id: str) -> bool:
    return bool(server.get_run(run_id)["unresponsive"])


def test_run_with_a_stopped_trainer_is_reported_and_can_be_stopped(server: Server) -> None:
    run_id = server.start_endless_run(**LONG)
    with stopped("trainer_main"):
        wait_until(lambda: is_unresponsive(server, run_id))
        run = server.get_run(run_id)
        assert (run["status"], run["can"]) == ("running", ["stop", "delete", "rename"])
        refused = server.control(run_id, "pause")
        assert refused.status_code == 409
        assert "does not respond" in refused.json()["detail"]
    wait_until(lambda: not is_unresponsive(server, run_id))
    assert server.control(run_id, "pause").json()["status"] == "paused"
    with stopped("trainer_main"):
        wait_until(lambda: is_unresponsive(server, run_id))
        assert server.control(run_id, "stop").json()["status"] == "stopped"
        assert not is_unresponsive(server, run_id)
    server.control(run_id, "resume").raise_for_status()
    server.wait_for_status(run_id, "running")
    server.control(run_id, "stop").raise_for_status()


def test_run_with_a_stopped_trainer_keeps_no_other_waiting_and_can_be_deleted(
    server: Server,
) -> None:
    run_id = server.start_endless_run(**LONG)
    with stopped("trainer_main") as pid:
        other = server.start_endless_run(**LONG)
        assert is_unresponsive(server, run_id)
        assert server.http.delete(f"/runs/{run_id}").status_code == 204
        assert server.http.get(f"/runs/{run_id}").status_code == 404
        assert pid not in child_pids(os.getpid(), "trainer_main")
    server.control(other, "stop").raise_for_status()


def test_picture_is_transformed_though_the_process_was_stopped(server: Server) -> None:
    def transform() -> int:
        files = {"image": PICTURE.read_bytes()}
        return server.http.post("/transform", files=files).status_code

    assert transform() == 200
    with stopped("inference_main") as pid:
        assert transform() == 200
        assert pid not in child_pids(os.getpid(), "inference_main")


def test_export_whose_process_was_stopped_fails_and_the_next_one_is_made(server: Server) -> None:
    large = {"first": 0, "frames": 40, "samples": 8, "scale": 3}
    job = server.http.post("/runs/example-digits/exports", json=large).json()["id"]
    wait_until(lambda: server.http.get(f"/exports/{job}").json()["done"] > 0)
    with stopped("export_main"):
        wait_until(lambda: server.http.get(f"/exports/{job}").json()["status"] == "failed")
    assert "did not respond" in server.http.get(f"/exports/{job}").json()["error"]
    made = server.http.get("/runs/example-digits/export", params={"samples": 1})
    assert made.status_code == 200, made.text


def test_server_with_stopped_processes_ends(tmp_path: Path) -> None:
    def children() -> set[int]:
        modules = ("trainer_main", "inference_main")
        return {pid for module in modules for pid in child_pids(os.getpid(), module)}

    others = children()  # of the server of the other tests
    with serve_in_thread(tmp_path / "home", deadlines=QUICK) as server:
        server.start_endless_run(**LONG)
        server.http.post("/transform", files={"image": PICTURE.read_bytes()})
        own = children() - others
        assert len(own) >= 2
        for pid in own:
            os.kill(pid, signal.SIGSTOP)
    assert children().isdisjoint(own)
