"""A server that only shows the home of another one, which trains."""

from pathlib import Path

from stnscope.access.rights import VIEW_ONLY_REFUSAL
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.writer import create
from tests.conftest import TrainedRun
from tests.live_server import Server, receive, send
from tests.server.in_process import serve_in_thread


def test_live_run_of_another_server_is_shown_and_not_changed(server: Server, running: str) -> None:
    with serve_in_thread(server.home, view_only=True) as shown:
        with shown.open_stream(running) as viewer:
            send(viewer, type="hello", last_step=None)
            run = receive(viewer, "run")
            assert (run["status"], run["owned"], run["can"]) == ("running", False, [])
            assert run["picture_refusal"] == VIEW_ONLY_REFUSAL
            send(viewer, type="follow")
            steps = [Frame.decode(receive(viewer, "frame")).info["step"] for _ in range(2)]
            assert steps[0] < steps[1]
        for method, path in (
            ("POST", "/runs"),
            ("POST", f"/runs/{running}/control"),
            ("PATCH", f"/runs/{running}"),
            ("DELETE", f"/runs/{running}"),
            ("POST", "/recordings"),
        ):
            refused = shown.http.request(method, path, json={})
            assert (refused.status_code, refused.json()["detail"]) == (403, VIEW_ONLY_REFUSAL)
        access = shown.http.get("/access").json()
        assert (access["may_act"], access["refusal"]) == (False, VIEW_ONLY_REFUSAL)
    assert server.get_run(running)["status"] == "running"


def test_queued_runs_wait_for_the_server_that_trains(
    tmp_path: Path, trained_run: TrainedRun
) -> None:
    finished = trained_run.copy_into(tmp_path)
    queued = tmp_path / "recordings" / "queued.stnscope"
    create(queued, config=RunConfig(), steps_per_epoch=24)
    (tmp_path / "incoming-1").mkdir()
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with serve_in_thread(tmp_path, view_only=True) as shown:
        assert {run["id"] for run in shown.http.get("/runs").json()} == {finished, "queued"}
        assert shown.http.get(f"/runs/{finished}/frames/12").status_code == 200
        assert shown.get_run("queued")["status"] == "queued"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert (tmp_path / "incoming-1").is_dir()
