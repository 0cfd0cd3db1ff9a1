"""Runs over HTTP, against a real server with real trainers."""

import os
import re
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from stnscope.backend.commands.main import main
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.frames.frame import Frame
from stnscope.backend.experiment.recording.lock import writer_lock
from stnscope.backend.experiment.recording.reader import Recording
from stnscope.backend.experiment.recording.writer import RecordingWriter, create
from stnscope.backend.server.processes.child_main import NICENESS
from tests.live_server import SHORT_RUN, Server, is_running, serve, wait_until
from tests.server.conftest import LONG, MINIMAL_SERVER
from tests.server.in_process import serve_in_thread
from tests.timeouts import TIMEOUT_SECONDS


def test_health_and_catalog(server: Server) -> None:
    assert server.http.get("/health").json()["status"] == "ok"
    catalog = server.http.get("/catalog").json()
    choices = ("optimisers", "schedules", "precisions", "paddings", "devices")
    for name in ("architectures", "families", "datasets", "distortions", *choices):
        assert catalog[name], name
        assert all({"name", "title", "description"} <= entry.keys() for entry in catalog[name])
    assert all("available" in dataset for dataset in catalog["datasets"])
    offered = {dataset["name"]: dataset["epochs"] for dataset in catalog["datasets"]}
    assert offered["digits"]["digits"] == catalog["defaults"]["epochs"] == 3
    assert offered["sequences"] == {"recurrent": 10, "feed-forward": 10}
    assert catalog["limits"]["picture_bytes"] == 10_000_000
    assert all(isinstance(limit, int) for limit in catalog["limits"].values())


def test_list_of_runs_is_sent_again_only_after_a_change(server: Server, finished: str) -> None:
    first = server.http.get("/runs")
    assert finished in [run["id"] for run in first.json()]
    same = server.http.get("/runs", headers={"If-None-Match": f'"x", {first.headers["etag"]}'})
    assert (same.status_code, same.content) == (304, b"")
    run_id = server.start_run(**LONG)
    try:
        changed = server.http.get("/runs", headers={"If-None-Match": first.headers["etag"]})
        assert run_id in [run["id"] for run in changed.json()]
        server.wait_for_step(run_id, 1)
    finally:
        server.control(run_id, "stop")
    # What has ended is read again after a change too.
    stopped = {run["id"]: run for run in server.http.get("/runs").json()}[run_id]
    assert stopped["status"] == "stopped"
    assert server.control(run_id, "resume").status_code == 200
    server.wait_for_status(run_id, "running")
    server.control(run_id, "stop")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with seven runs, of which the oldest is queued, and trains none."""
    home = tmp_path_factory.mktemp("many")
    folder = home / "recordings"
    folder.mkdir()
    for number in range(7):
        path = folder / f"run-{number}.stnscope"
        create(path, config=RunConfig(), steps_per_epoch=24)
        with RecordingWriter.open(path) as writer:
            writer.update(created=number, status="stopped" if number else "queued")
    with serve_in_thread(home, trainers=0) as server:
        yield server


def ids(response: httpx.Response) -> list[str]:
    return [run["id"] for run in response.raise_for_status().json()]


def test_pages_list_each_run_once(many: Server) -> None:
    address, listed, sizes = "/runs?limit=3", [], []
    while address:
        response = many.http.get(address)
        sizes.append(len(ids(response)))
        listed += ids(response)
        address = response.links.get("next", {}).get("url", "")
    assert sizes == [3, 3, 1]
    assert listed == ids(many.http.get("/runs")) == [f"run-{n}" for n in range(6, -1, -1)]


def test_live_runs_are_listed_however_old_they_are(many: Server) -> None:
    assert ids(many.http.get("/runs", params={"live": True, "limit": 1})) == ["run-0"]
    assert "run-0" not in ids(many.http.get("/runs", params={"live": False}))
    (oldest,) = many.http.get("/runs", params={"after": "run-1"}).json()
    assert oldest == many.get_run("run-0")


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which runs wait and none is trained."""
    home = tmp_path_factory.mktemp("waiting")
    with serve_in_thread(home, trainers=0) as server:
        yield server


def test_run_says_on_what_it_is_computed(waiting: Server) -> None:
    catalog = waiting.http.get("/catalog").json()
    names = [device["name"] for device in catalog["devices"]]
    assert (names[0], names[-1]) == ("cpu", "auto")
    run = waiting.get_run(waiting.start_run(device="auto", threads="auto"))
    assert run["config"]["device"] in names[:-1]
    assert run["config"]["threads"] == catalog["automatic_threads"]
    usual = waiting.get_run(waiting.start_run())
    assert (usual["config"]["device"], usual["config"]["threads"]) == ("cpu", 1)
    assert usual["resume_note"] is None


def test_run_on_a_device_that_is_not_here_is_not_resumed(
    waiting: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    path = waiting.home / "recordings" / "elsewhere.stnscope"
    create(path, config=RunConfig(device="cuda:99"), steps_per_epoch=24)
    with RecordingWriter.open(path) as writer:
        writer.update(status="stopped")
    assert "not bit for bit" in waiting.get_run("elsewhere")["resume_note"]
    refused = waiting.post_control("elsewhere", action="resume")
    assert refused.status_code == 409
    assert "trained on cuda:99, which is not here" in refused.json()["detail"]
    assert main(["resume", "--home", str(waiting.home), "elsewhere"]) != 0
    assert "start a new run on another device" in capsys.readouterr().err
    assert waiting.get_run("elsewhere")["status"] == "stopped"


def test_page_after_an_unknown_run_is_refused(many: Server) -> None:
    assert many.http.get("/runs", params={"after": "none"}).status_code == 404
    assert many.http.get("/runs", params={"limit": 0}).status_code == 422


def test_large_list_is_compressed_for_clients_that_read_gzip(many: Server) -> None:
    plain = many.http.get("/runs", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    refused = many.http.get("/runs", headers={"Accept-Encoding": "br, gzip;q=0"})
    assert "content-encoding" not in refused.headers
    compressed = many.http.get("/runs", headers={"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert compressed.json() == plain.json()
    assert int(compressed.headers["content-length"]) < len(plain.content) / 5
    known = {"If-None-Match": compressed.headers["etag"], "Accept-Encoding": "identity"}
    assert many.http.get("/runs", headers=known).status_code == 304


def test_run_has_the_requested_configuration(server: Server) -> None:
    run_id = server.start_run(
        optimiser="sgd",
        schedule="steps",
        label_smoothing=0,
        sampler={"padding": "background", "background": 0.5, "supersampling": 2},
        distortion="RTS + occlusion",
        batch_size=32,
    )
    try:
        config = server.wait_for_step(run_id, 1)["config"]
    finally:
        server.control(run_id, "stop")
    assert (config["optimiser"], config["schedule"]) == ("sgd", "steps")
    assert (config["learning_rate"], config["localisation_learning_rate"]) == (0.02, 0.01)
    assert (config["weight_decay"], config["label_smoothing"], config["epochs"]) == (0, 0, 3)
    assert config["sampler"] == {"padding": "background", "background": 0.5, "supersampling": 2}
    assert config["distortion"] == {"name": "RTS+occlusion", "strength": 1.0}
    rates = server.http.get(f"/runs/{run_id}/metrics").json()["learning_rate"]
    assert rates[1] == pytest.approx(0.02)


def test_finished_run_has_recorded_every_step_and_tenth(server: Server, finished: str) -> None:
    run = server.get_run(finished)
    assert (run["step"], run["steps"], run["last_step"]) == (24, 24, 24)
    assert (run["first_step"], run["attempt"], run["error"]) == (0, 0, None)
    assert run["validated_step"] == 24
    columns = server.http.get(f"/runs/{finished}/metrics").json()
    assert columns["step"] == list(range(25))
    assert columns["loss"][0] is None
    assert all(loss > 0 for loss in columns["loss"][1:])
    steps = server.recorded_steps(finished)
    # Each tenth is recorded at the first step that completes it: ceil(24 k / 10).
    assert {0, 3, 5, 8, 10, 12, 15, 17, 20, 22, 24} <= set(steps)


def test_frame_by_http_has_its_input_and_can_be_cached(server: Server, finished: str) -> None:
    response = server.http.get(f"/runs/{finished}/frames/24", params={"attempt": 0})
    frame = Frame.decode(response.content)
    assert frame.info["run"] == finished
    assert (frame.info["step"], frame.info["progress"]) == (24, 10)
    assert frame.tensors["input"].shape == (2, 42, 42, 1)
    assert "immutable" in response.headers["cache-control"]
    assert "no-cache" in server.http.get(f"/runs/{finished}/frames/24").headers["cache-control"]


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"epochs": 0}, "epochs"),
        ({"epochs": "many"}, "epochs"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"dataset": "../digits"}, "dataset"),
        ({"architecture": "resnet"}, "architecture"),
        ({"distortion": "melted"}, "distortion"),
        ({"batch_size": 1025}, "batch_size"),
        ({"probes": {"count": 1000}}, "probes.count"),
        ({"epoch": 3}, "epoch"),
        ({"epochs": True}, "epochs"),
        ({"epochs": "3"}, "epochs"),
        ({"optimiser": "lion"}, "optimiser"),
        ({"schedule": 3}, "schedule"),
        ({"weight_decay": -1}, "weight_decay"),
        ({"label_smoothing": 1}, "label_smoothing"),
        ({"consistency": -1}, "consistency"),
        ({"ema_decay": 1}, "ema_decay"),
        ({"precision": "float8"}, "precision"),
        ({"device": "gpu"}, "device"),
        ({"device": "cuda:99"}, "device"),
        ({"device": 0}, "device"),
        ({"threads": 0}, "threads"),
        ({"threads": 65}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": "all"}, "threads"),
        ({"channels_last": 1}, "channels_last"),
        ({"sampler": {"padding": "void"}}, "sampler.padding"),
        ({"sampler": {"padding": "background"}}, "sampler.background"),
        ({"sampler": {"padding": "zeros", "background": 0.5}}, "sampler.background"),
        ({"sampler": {"supersampling": 5}}, "sampler.supersampling"),
        ({"sampler": "zeros"}, "sampler"),
        ({"distortion": "RTS + "}, "distortion"),
        ({"epochs": None}, "epochs"),
        ({"epochs": [1]}, "epochs"),
        ({"learning_rate": {"peak": 1}}, "learning_rate"),
        ({"dataset": ["digits"]}, "dataset"),
        ({"dataset": None}, "dataset"),
        ({"distortion": 5}, "distortion"),
        ({"distortion": {"strength": "much"}}, "distortion.strength"),
        ({"probes": [12]}, "probes"),
        ({"probes": {"moving": "yes"}}, "probes.moving"),
        ({"probes": {"count": {"of": 3}}}, "probes.count"),
    ],
)
def test_invalid_configuration_names_the_field_and_starts_nothing(
    server: Server, config: dict[str, object], field: str
) -> None:
    before = server.http.get("/runs").json()
    response = server.http.post("/runs", json=config)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["field"]) == (422, field)
    assert field in problem["detail"]
    assert not re.search("Input should|valid|permitted", problem["detail"]), (
        "the library's own text"
    )
    assert len(server.http.get("/runs").json()) == len(before)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/nothing/at/all", 404),
        ("GET", "/runs/..%2f..%2fsecret", 404),
        ("PUT", "/runs", 405),
        ("DELETE", "/health", 405),
    ],
)
def test_unknown_path_or_method_is_a_problem(
    server: Server, method: str, path: str, status: int
) -> None:
    response = server.http.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("body", [b"{", b"\xff\x00", b"", b"[]", b"3", b"[" * 100_000])
def test_malformed_body_is_refused(server: Server, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = server.http.post("/runs", content=body, headers=headers)
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert not response.json().get("field", "").isdecimal()
    assert response.json()["detail"].startswith("The body ")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"action": "go"}, "action", "must be 'pause', 'resume', 'step' or 'stop', not \"go\"."),
        ({"action": ["pause"]}, "action", "or 'stop', not a list."),
        ({"slow_motion": "very"}, "slow_motion", "must be a number, at least 0 and at most 10"),
        ({"moving": 1}, "moving", "must be true or false, not 1."),
        ({"pause": True}, "pause", "There is no field pause; there are learning_rate"),
    ],
)
def test_invalid_control_lists_what_is_accepted(
    server: Server, finished: str, body: dict[str, object], field: str, message: str
) -> None:
    response = server.post_control(finished, **body)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/runs/none", "/runs/none/frames", "/runs/none/export", "/exports/none", "/nothing"]
)
def test_unknown_run_or_export_is_a_404_problem(server: Server, path: str) -> None:
    response = server.http.get(path)
    assert response.status_code == 404
    assert response.json()["status"] == 404


def test_pause_step_resume_stop(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 3)
    assert server.control(run_id, "step").status_code == 409
    paused = server.control(run_id, "pause").json()
    assert paused["status"] == "paused"
    assert paused["can"] == ["step", "resume", "stop", "change", "add_picture", "rename"]
    assert (paused["live"], paused["complete"]) == (True, False)
    stepped = server.control(run_id, "step").json()
    assert stepped["step"] == paused["step"] + 1
    server.wait_for_status(run_id, "paused")
    frame = server.http.get(f"/runs/{run_id}/frames/{stepped['step']}").content
    assert Frame.decode(frame).info["step"] == stepped["step"]
    assert server.control(run_id, "resume").json()["status"] == "running"
    server.wait_for_step(run_id, stepped["step"] + 2)
    stopped = server.control(run_id, "stop").json()
    assert (stopped["status"], stopped["live"], stopped["complete"]) == ("stopped", False, True)
    assert stopped["can"] == ["resume", "delete", "rename"]
    refused = server.control(run_id, "pause")
    assert refused.status_code == 409
    assert "running" in refused.json()["detail"]
    assert "stopped" in refused.json()["detail"]


def test_run_is_named_while_it_trains_and_after_it(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 1)
    for name in ("Turned signs, 2nd try", None, "µ = 0.9"):
        response = server.http.patch(f"/runs/{run_id}", json={"name": name})
        assert (response.status_code, response.json()["name"]) == (200, name)
    server.control(run_id, "stop")
    assert server.get_run(run_id)["name"] == "µ = 0.9"
    renamed = server.http.patch(f"/runs/{run_id}", json={"name": "  Signs "}).json()
    assert (renamed["name"], renamed["status"]) == ("Signs", "stopped")
    # Naming does not make it appear to be trained, and a resumed run keeps its name.
    assert server.control(run_id, "resume").json()["name"] == "Signs"
    listed = {run["id"]: run["name"] for run in server.http.get("/runs").json()}
    assert listed[run_id] == "Signs"
    for wrong in ("", " ", "a\nb", "x" * 65, 3):
        refused = server.http.patch(f"/runs/{run_id}", json={"name": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "name")
    assert server.get_run(run_id)["name"] == "Signs"


def test_settings_change_while_running_and_while_paused(server: Server, run_id: str) -> None:
    run = server.wait_for_step(run_id, 2)
    assert run["settings"] == {
        "learning_rate": run["config"]["learning_rate"],
        "localisation_learning_rate": run["config"]["localisation_learning_rate"],
        "slow_motion": 0.0,
        "moving": False,
    }
    changed = server.post_control(run_id, learning_rate=5e-4, moving=True).json()
    assert (changed["settings"]["learning_rate"], changed["settings"]["moving"]) == (5e-4, True)
    assert changed["config"] == run["config"], "the configuration does not change"
    both = server.post_control(run_id, slow_motion=True, action="pause").json()
    assert (both["settings"]["slow_motion"], both["status"]) == (0.5, "paused")
    response = server.post_control(run_id, localisation_learning_rate=0).json()
    assert response["settings"]["localisation_learning_rate"] == 0
    step = response["step"]
    server.post_control(run_id, slow_motion=0, action="resume")
    server.wait_for_step(run_id, step + 3)
    frame = Frame.decode(server.http.get(f"/runs/{run_id}/frames/{step + 3}").content)
    assert frame.info["moving"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, None),
        ({"action": None}, None),
        ({"action": "explode"}, "action"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"slow_motion": 1000}, "slow_motion"),
        ({"moving": 1}, "moving"),
        ({"epochs": 3}, "epochs"),
    ],
)
def test_invalid_control_names_the_field(
    server: Server, finished: str, body: dict[str, object], field: str | None
) -> None:
    response = server.http.post(f"/runs/{finished}/control", json=body)
    assert response.status_code == 422, response.text
    assert response.json().get("field") == field


def test_settings_of_a_finished_run_cannot_change(server: Server, finished: str) -> None:
    refused = server.post_control(finished, moving=True)
    assert refused.status_code == 409
    assert "paused or running" in refused.json()["detail"]
    assert "finished" in refused.json()["detail"]


def test_trainer_has_a_lower_priority(server: Server, running: str) -> None:
    trainer = trainer_of(server, running)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, trainer) == min(own + NICENESS, 19)
    # Where the kernel schedules by sessions (autogroups), the trainer's session has it too.
    autogroup = Path(f"/proc/{trainer}/autogroup")
    assert not autogroup.exists() or autogroup.read_text().endswith(f"nice {NICENESS}\n")


def test_killed_and_resumed_run_equals_an_uninterrupted_one(server: Server, finished: str) -> None:
    run_id = server.start_run(**SHORT_RUN)
    assert server.get_run(run_id)["config"] == server.get_run(finished)["config"]
    server.wait_for_step(run_id, 3)
    os.kill(trainer_of(server, run_id), signal.SIGKILL)
    server.wait_for_status(run_id, "interrupted")
    assert server.control(run_id, "resume").status_code == 200
    assert server.wait_for_status(run_id, "finished")["attempt"] == 1
    columns, resumed_columns = (
        server.http.get(f"/runs/{run}/metrics").json() for run in (finished, run_id)
    )
    for name in ("step", "loss", "accuracy", "learning_rate"):
        assert columns[name] == resumed_columns[name], name
    theta, resumed_theta = (
        Frame.decode(server.http.get(f"/runs/{run}/frames/24").content).tensors["theta.st"]
        for run in (finished, run_id)
    )
    assert (theta == resumed_theta).all()


def test_third_run_is_queued_until_another_ends_though_another_program_locks_it(
    own_server: Server,
) -> None:
    first, second, third = (own_server.start_run(**LONG) for _ in range(3))
    with writer_lock(own_server.home / "recordings" / f"{third}.stnscope"):
        assert own_server.control(third, "stop").status_code == 409
        assert own_server.http.delete(f"/runs/{third}").status_code == 409
    own_server.slow_down(first)
    own_server.slow_down(second)
    run = own_server.get_run(third)
    assert (run["status"], run["owned"], run["can"]) == ("queued", True, ["stop", "rename"])
    own_server.control(first, "stop")
    own_server.wait_for_step(third, 1)
    fourth = own_server.start_run(**LONG)
    assert own_server.get_run(fourth)["status"] == "queued"
    assert own_server.control(fourth, "stop").json()["status"] == "stopped"


def test_pause_of_a_run_that_ends_meanwhile_is_a_conflict(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 1)
    trainer = trainer_of(server, run_id)
    os.kill(trainer, signal.SIGSTOP)
    with ThreadPoolExecutor() as threads:
        response = threads.submit(server.control, run_id, "pause")
        wait([response], 0.5)  # until the request has probably arrived
        os.kill(trainer, signal.SIGKILL)
    assert response.result().status_code == 409
    assert "ended" in response.result().json()["detail"]


def test_run_can_be_stopped_before_its_trainer_has_begun(server: Server, run_id: str) -> None:
    assert server.control(run_id, "stop").status_code == 200
    server.wait_for_status(run_id, "stopped")


def test_repeated_stop_and_resume_leave_one_trainer(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 2)
    for action in ("stop", "resume", "stop", "resume"):
        assert server.control(run_id, action).status_code == 200, action
    run = server.wait_for_status(run_id, "running")
    assert run["owned"]
    assert run["attempt"] == 2
    assert server.control(run_id, "pause").json()["status"] == "paused"


def test_control_of_a_trainer_that_hangs_is_a_timeout_and_takes_effect_later(
    tmp_path: Path,
) -> None:
    options = (*MINIMAL_SERVER, "--control-timeout", "0.5")
    with serve(tmp_path / "home", *options) as server:
        run_id = server.start_run(**LONG)
        server.wait_for_step(run_id, 2)
        trainer = trainer_of(server, run_id)
        os.kill(trainer, signal.SIGSTOP)
        try:
            for request in ({"action": "pause"}, {"moving": True}):
                response = server.post_control(run_id, **request)
                assert response.status_code == 504
                problem = response.json()
                assert (problem["title"], problem["status"]) == ("Gateway Timeout", 504)
                assert "within 0.5 s" in problem["detail"]
                assert re.search(r"is running at step \d+", problem["detail"])
            assert server.get_run(run_id)["status"] == "running"
        finally:
            os.kill(trainer, signal.SIGCONT)
        run = server.wait_for_status(run_id, "paused")
        wait_until(lambda: server.get_run(run_id)["settings"]["moving"])
        assert run["can"]


def test_run_can_be_deleted_only_after_its_training(own_server: Server) -> None:
    run_id = own_server.start_run(**LONG)
    assert own_server.http.delete(f"/runs/{run_id}").status_code == 409, "it has just started"
    own_server.wait_for_step(run_id, 1)
    assert own_server.http.delete(f"/runs/{run_id}").status_code == 409
    own_server.control(run_id, "stop")
    assert own_server.http.delete(f"/runs/{run_id}").status_code == 204
    assert own_server.http.get(f"/runs/{run_id}").status_code == 404


def test_run_of_a_killed_trainer_is_interrupted_and_can_resume(server: Server, run_id: str) -> None:
    server.wait_for_step(run_id, 5)
    os.kill(trainer_of(server, run_id), signal.SIGKILL)
    server.wait_for_status(run_id, "interrupted")
    frames = server.recorded_steps(run_id)
    assert frames[0] == 0
    assert frames[-1] >= 4
    assert server.control(run_id, "resume").status_code == 200
    server.wait_for_step(run_id, frames[-1] + 1)


def test_runs_of_a_killed_server_are_listed_and_played_by_the_next(
    own_server: Server,
) -> None:
    run_id = own_server.start_run(**LONG)
    step = own_server.wait_for_step(run_id, 5)["step"]
    trainer = trainer_of(own_server, run_id)
    own_server.stop(signal.SIGKILL)
    wait_until(lambda: not is_running(trainer))
    own_server.start()
    run = own_server.get_run(run_id)
    assert run["status"] == "interrupted"
    assert run["step"] >= step
    assert [listed["id"] for listed in own_server.http.get("/runs").json()] == [run_id]
    frame = Frame.decode(own_server.http.get(f"/runs/{run_id}/frames/{step}").content)
    assert frame.info["step"] <= step
    # Its trainer wrote a checkpoint of the last step before it ended.
    with Recording.open(own_server.home / "recordings" / f"{run_id}.stnscope") as recording:
        checkpoint = recording.checkpoint()
    assert checkpoint is not None
    assert checkpoint.step == run["step"]


def test_empty_home_starts_a_demonstration_that_a_user_run_pauses(tmp_path: Path) -> None:
    with serve(tmp_path / "home", "--no-page") as server:
        wait_until(lambda: bool(server.http.get("/runs").json()))
        (demonstration,) = server.http.get("/runs").json()
        assert demonstration["demonstration"]
        server.wait_for_step(demonstration["id"], 2)
        user_run = server.start_run(**LONG)
        server.wait_for_step(user_run, 1)
        server.wait_for_status(demonstration["id"], "paused")


def test_user_run_pauses_a_demonstration_that_has_not_begun(tmp_path: Path) -> None:
    with serve(tmp_path / "home", "--no-page", "--no-standby") as server:
        (demonstration,) = server.http.get("/runs").json()
        server.start_run(**LONG)
        assert server.wait_for_status(demonstration["id"], "paused")["step"] < 5


def test_recording_is_downloaded_as_one_readable_file(
    server: Server, finished: str, tmp_path: Path
) -> None:
    response = server.http.get(f"/runs/{finished}/recording")
    path = tmp_path / f"{finished}.stnscope"
    path.write_bytes(response.content)
    with Recording.open(path) as recording:
        assert recording.summary()["frames"] == server.get_run(finished)["frames"]
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_endless_body_is_refused(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 100_000

    response = httpx.post(
        f"http://127.0.0.1:{server.port}/api/runs", content=endless(), timeout=TIMEOUT_SECONDS
    )
    assert response.status_code == 413


def trainer_of(server: Server, run_id: str) -> int:
    """Return the id of the process, other than the server, that has the recording open."""
    assert server.process is not None
    name = f"{run_id}.stnscope"
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != server.process.pid:
            try:
                files = [os.readlink(link) for link in (process / "fd").iterdir()]
            except OSError:
                continue
            if any(file.endswith(name) for file in files):
                return int(process.name)
    raise AssertionError(f"no process trains {run_id}")
