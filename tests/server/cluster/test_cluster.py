"""Runs on a cluster: trained as here, controlled, queued, and continued by the next server."""

import io
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stnscope.backend.experiment.recording.writer import RecordingWriter
from tests.conftest import TrainedRun
from tests.equal_recordings import assert_equal
from tests.live_server import (
    SHORT_RUN,
    SLOW_STEP_SECONDS,
    STNSCOPE,
    Server,
    serve,
    wait_until,
)
from tests.ray_cluster import RayCluster, progress, ray_cluster

OPTIONS = ("--no-page", "--no-demonstration", "--no-standby")
LONG = SHORT_RUN | {"epochs": 100}
TRAINED = ("step", "epoch", "loss", "accuracy", "learning_rate")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A cluster of one node with two CPUs."""
    with ray_cluster(head_cpus=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def server(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose runs the cluster trains."""
    home = tmp_path_factory.mktemp("home")
    with serve(home, *OPTIONS, "--cluster", cluster.address, log=home / "log") as server:
        yield server


@pytest.fixture(autouse=True)
def stopped(server: Server) -> Iterator[None]:
    """Leave the nodes to the next test."""
    yield
    for run in server.http.get("/runs").json():
        if "stop" in run["can"]:
            server.control(run["id"], "stop")
    wait_until(lambda: is_idle(show(server)))


def is_idle(cluster: dict[str, Any]) -> bool:
    """Return whether no run is on a node, and none waits for one."""
    return not cluster["waiting"] and not any(node["runs"] for node in cluster["nodes"])


def show(server: Server) -> dict[str, Any]:
    cluster: dict[str, Any] = server.http.get("/cluster").json()
    return cluster


def recording_of(server: Server, run_id: str) -> Path:
    return server.home / "recordings" / f"{run_id}.stnscope"


def test_recording_equals_that_of_a_run_here(server: Server, trained_run: TrainedRun) -> None:
    run_id = server.start_run(**SHORT_RUN)
    assert server.wait_for_status(run_id, "finished")["attempt"] == 0
    assert_equal(trained_run.recording, recording_of(server, run_id))


def test_run_is_controlled_and_watched_as_one_here(server: Server) -> None:
    run_id = server.start_run(**LONG)
    run = server.wait_for_step(run_id, 1)
    assert run["node"] in [node["name"] for node in show(server)["nodes"]]
    assert server.control(run_id, "pause").json()["status"] == "paused"
    step = server.get_run(run_id)["step"]
    assert server.control(run_id, "step").json()["step"] == step + 1
    changed = server.post_control(run_id, learning_rate=0.004, slow_motion=SLOW_STEP_SECONDS)
    assert changed.json()["settings"]["learning_rate"] == 0.004
    picture = io.BytesIO()
    Image.new("L", (28, 28), 200).save(picture, "PNG")
    files = {"image": ("digit.png", picture.getvalue())}
    added = server.http.post(f"/runs/{run_id}/probes", files=files)
    assert added.status_code == 202, added.text
    assert server.get_run(run_id)["probes"] == 3
    assert server.control(run_id, "resume").json()["status"] == "running"
    server.wait_for_step(run_id, step + 3)
    assert server.control(run_id, "stop").json()["status"] == "stopped"
    wait_until(lambda: server.get_run(run_id)["node"] is None)


def test_runs_wait_for_resources_and_can_be_stopped_meanwhile(server: Server) -> None:
    first, second = (server.start_run(**LONG) for _ in range(2))
    for run_id in (first, second):
        server.slow_down(run_id)
    third, fourth = (server.start_run(**LONG) for _ in range(2))  # Ray's queue keeps no order
    wait_until(lambda: len(show(server)["waiting"]) == 2)
    shown = show(server)
    assert sorted(each["run"] for node in shown["nodes"] for each in node["runs"]) == sorted(
        (first, second)
    )
    assert [each["run"] for each in shown["waiting"]] == [third, fourth]
    waiting = server.get_run(third)
    assert (waiting["status"], waiting["waits_for_cluster"], waiting["owned"]) == (
        "queued",
        True,
        True,
    )
    assert server.control(third, "stop").json()["status"] == "stopped"
    assert server.control(first, "stop").json()["status"] == "stopped"
    server.wait_for_step(fourth, 1)


def test_next_server_takes_up_the_runs_of_a_killed_one(
    server: Server, trained_run: TrainedRun
) -> None:
    run_id = server.start_run(**SHORT_RUN)
    server.slow_down(run_id)
    server.stop(signal.SIGKILL)
    server.start()
    server.wait_for_status(run_id, "running")
    server.post_control(run_id, slow_motion=0)
    assert server.wait_for_status(run_id, "finished")["attempt"] == 0, "it was not interrupted"
    assert_equal(trained_run.recording, recording_of(server, run_id))


def test_interrupted_server_leaves_nothing_on_the_nodes(
    server: Server, cluster: RayCluster
) -> None:
    first = server.start_run(**LONG)
    server.slow_down(first)
    for _ in range(2):  # of which one waits
        server.start_run(**LONG)
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    server.stop(signal.SIGINT)
    assert server.log is not None
    assert "Traceback" not in server.log.read_text()
    wait_until(lambda: not cluster.actors())
    server.start()
    assert server.get_run(first)["status"] == "interrupted"


def test_run_that_no_node_can_train_is_said_to_wait_for_one(
    server: Server, cluster: RayCluster, tmp_path: Path
) -> None:
    run_id = server.start_run(**SHORT_RUN | {"threads": 3})
    wait_until(lambda: bool(show(server)["waiting"]))
    assert show(server)["waiting"] == [{"run": run_id, "cpus": 3, "gpus": 0, "fits": False}]
    options = ("--cluster", cluster.address, "--threads", "3")
    command = [*STNSCOPE, "train", "--home", str(tmp_path), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        assert training.stdout.readline().startswith("Run ")
        line = "It waits for a node with 3 CPUs: the cluster has none.\n"
        assert training.stdout.readline() == line
        training.send_signal(signal.SIGINT)
    assert training.returncode == 130


def test_killed_command_leaves_nothing_on_the_nodes(
    server: Server, cluster: RayCluster, tmp_path: Path
) -> None:
    options = ("--epochs", "100", "--batch-size", "1000", "--architecture", "paper-st-fcn")
    command = [*STNSCOPE, "train", "--home", str(tmp_path), "--cluster", cluster.address, *options]
    with subprocess.Popen(command) as training:
        wait_until(lambda: progress(tmp_path) >= 1)
        training.kill()
    wait_until(lambda: not cluster.actors())
    [recording] = (tmp_path / "recordings").glob("*.stnscope")
    with RecordingWriter.open(recording) as opened:
        checkpoint = opened.checkpoint()
    assert checkpoint is not None
    assert checkpoint.step >= 1, "it wrote none at its end"


def test_without_the_cluster_runs_are_trained_here(server: Server, tmp_path: Path) -> None:
    address = f"127.0.0.1:{server.port}"  # at which something else listens
    log = tmp_path / "log"
    with serve(tmp_path / "home", *OPTIONS, "--cluster", address, log=log) as server:
        shown = show(server)
        assert shown["nodes"] == []
        reason = "the server at this address is not the head of a Ray cluster"
        assert f"The cluster at {address} cannot be used: {reason}." in shown["refusal"]
        assert shown["refusal"] in log.read_text()
        run_id = server.start_run(**SHORT_RUN)
        assert server.wait_for_status(run_id, "finished")["node"] is None
