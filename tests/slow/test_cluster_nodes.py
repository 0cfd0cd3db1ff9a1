"""Runs on a cluster whose nodes are killed, and whose servers are."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from stnscope.backend.experiment.recording.reader import Recording
from tests.conftest import TrainedRun
from tests.equal_recordings import assert_equal
from tests.live_server import (
    CLUSTER_VARIABLE,
    SHORT_RUN,
    SLOW_STEP_SECONDS,
    STNSCOPE,
    Server,
    is_running,
    serve,
    wait_until,
)
from tests.ray_cluster import RayCluster, progress, ray_cluster
from tests.timeouts import TIMEOUT_MS, TIMEOUT_SECONDS

pytestmark = pytest.mark.slow

OPTIONS = ("--no-page", "--no-demonstration", "--no-standby")


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A cluster of a head without resources for a trainer, and two nodes of one CPU each."""
    with ray_cluster(nodes=2) as cluster:
        yield cluster


def recording_of(server: Server, run_id: str) -> Path:
    return server.home / "recordings" / f"{run_id}.stnscope"


def test_run_of_a_killed_node_resumes_on_another(
    cluster: RayCluster, tmp_path: Path, trained_run: TrainedRun
) -> None:
    with serve(tmp_path / "home", *OPTIONS, "--cluster", cluster.address) as server:
        run_id = server.start_run(**SHORT_RUN)
        server.wait_for_step(run_id, 1)
        server.post_control(run_id, slow_motion=SLOW_STEP_SECONDS)
        server.control(run_id, "pause")  # writes a checkpoint
        server.control(run_id, "resume")
        for node in cluster.nodes[1:]:
            cluster.kill(node)
        server.wait_for_status(run_id, "interrupted")
        assert server.control(run_id, "resume").json()["status"] == "queued"
        cluster.add_node()
        server.wait_for_status(run_id, "running")
        server.post_control(run_id, slow_motion=0)
        assert server.wait_for_status(run_id, "finished")["attempt"] == 1
    assert_equal(trained_run.recording, recording_of(server, run_id))
    cluster.add_node()


def test_run_that_no_server_asks_for_is_resumed_by_the_next(
    cluster: RayCluster, tmp_path: Path, trained_run: TrainedRun
) -> None:
    on_cluster = (*OPTIONS, "--cluster", cluster.address)
    with serve(tmp_path / "home", *on_cluster, "--deadline", "silence=8") as server:
        run_id = server.start_run(**SHORT_RUN)
        server.wait_for_step(run_id, 1)
        server.post_control(run_id, slow_motion=1.0)
        [trainer] = cluster.trainers()
        server.stop(signal.SIGKILL)
        wait_until(lambda: not is_running(trainer))  # it has written a checkpoint
    with serve(tmp_path / "home", *on_cluster) as server:
        wait_until(lambda: server.get_run(run_id)["attempt"] == 1)
        server.post_control(run_id, slow_motion=0)
        server.wait_for_status(run_id, "finished")
    assert_equal(trained_run.recording, recording_of(server, run_id))


def test_runs_outlive_a_head_that_is_lost_and_comes_back(
    tmp_path: Path, trained_run: TrainedRun
) -> None:
    log = tmp_path / "log"
    with ray_cluster(head_cpus=1) as cluster:
        options = (*OPTIONS, "--cluster", cluster.address)
        with serve(tmp_path / "home", *options, log=log) as server:
            run_id = server.start_run(**SHORT_RUN)
            server.wait_for_step(run_id, 1)
            server.post_control(run_id, slow_motion=SLOW_STEP_SECONDS)
            server.control(run_id, "pause")  # writes a checkpoint
            waiting = server.start_run(**SHORT_RUN | {"epochs": 100})
            wait_until(lambda: server.get_run(waiting)["waits_for_cluster"])
            cluster.kill(cluster.nodes[0])
            server.wait_for_status(run_id, "interrupted")
            assert server.wait_for_status(waiting, "running")["node"] is None, "it trains here"
            cluster.start_head(cpus=1)
            wait_until(lambda: bool(server.http.get("/cluster").json()["nodes"]))
            server.control(run_id, "resume")
            assert server.wait_for_status(run_id, "running", "finished")["attempt"] == 1
            server.post_control(run_id, slow_motion=0)
            server.wait_for_status(run_id, "finished")
            server.control(waiting, "stop")
        recording = recording_of(server, run_id)
    assert_equal(trained_run.recording, recording)
    assert f"The cluster at {cluster.address} was lost." in log.read_text()
    assert "StackTrace" not in log.read_text(), "what Ray prints is for its developers"


def test_command_trains_on_the_cluster_and_goes_on_when_a_node_is_lost(
    cluster: RayCluster, tmp_path: Path
) -> None:
    options = ["--cluster", cluster.address, "--retries", "1", "--epochs", "3", "--probes", "2"]
    options += ["--batch-size", "1000", "--architecture", "paper-st-fcn"]
    command = [*STNSCOPE, "train", "--home", str(tmp_path), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as training:
        wait_until(lambda: progress(tmp_path) >= 3)
        for node in cluster.nodes[1:]:
            cluster.kill(node)
        cluster.add_node()
        output, _ = training.communicate(timeout=TIMEOUT_SECONDS)
    cluster.add_node()
    assert training.returncode == 0, output
    assert "Finished" in output
    [recording] = (tmp_path / "recordings").glob("*.stnscope")
    with Recording.open(recording) as opened:
        assert opened.summary()["attempt"] == 1
        assert opened.metrics()["step"] == list(range(73))


def test_runs_whose_nodes_are_killed_at_random_equal_those_of_one_machine(
    cluster: RayCluster, tmp_path: Path
) -> None:
    choice = random.Random(0)
    configs = [SHORT_RUN | {"seed": seed} for seed in range(8)]
    options = (*OPTIONS, "--cluster", cluster.address, "--retries", "99")
    with serve(tmp_path / "cluster", *options) as server:
        run_ids = [server.start_run(**config) for config in configs]
        for step in (2, 4, 8, 12, 16, 20):
            wait_until(lambda step=step: any_reaches(server, step))  # type: ignore[misc]
            cluster.kill(choice.choice(cluster.nodes[1:]))
            cluster.add_node()
        # One whose node was lost waits for those that were started after it.
        for count in range(1, len(run_ids) + 1):
            wait_until(lambda count=count: finished(server) >= count)  # type: ignore[misc]
        attempts = [server.get_run(run_id)["attempt"] for run_id in run_ids]
        recordings = [recording_of(server, run_id) for run_id in run_ids]
    assert sum(attempts) > 0, "no run was interrupted"
    with serve(tmp_path / "here", *OPTIONS) as server:
        for config, recording in zip(configs, recordings, strict=True):
            run_id = server.start_run(**config)
            server.wait_for_status(run_id, "finished")
            assert_equal(recording_of(server, run_id), recording)


def finished(server: Server) -> int:
    """Return how many runs have finished."""
    return sum(run["status"] == "finished" for run in server.http.get("/runs").json())


def any_reaches(server: Server, step: int) -> bool:
    """Whether a run has just gone beyond a step, or all have ended."""
    runs = server.http.get("/runs").json()
    return any(run["running"] and run["step"] >= step for run in runs) or not any(
        run["live"] for run in runs
    )


def test_page_shows_what_is_trained_where_and_what_waits(
    cluster: RayCluster, tmp_path: Path, chromium: str
) -> None:
    options = ("--no-demonstration", "--no-standby", "--cluster", cluster.address)
    with serve(tmp_path / "home", *options) as server, sync_playwright() as playwright:
        long = SHORT_RUN | {"epochs": 100}
        first, second = (server.start_run(**long | {"seed": seed}) for seed in range(2))
        for run_id in (first, second):
            server.wait_for_step(run_id, 1)
        third = server.start_run(**long)  # Ray's queue keeps no order
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"http://localhost:{server.port}/?run={third}")
        state = page.locator(".stn-state")
        state.filter(has_text="Live: waits for a node of the cluster").wait_for()
        nodes = page.locator(".stn-node")
        nodes.nth(2).wait_for(state="attached")
        for run_id in (first, second):
            node = server.get_run(run_id)["node"]
            row = nodes.filter(has_text=node)
            assert row.get_by_role("link").get_attribute("title") == run_id
            assert "1 of 1 CPUs" in row.inner_text()
        waiting = page.locator(".stn-cluster-waiting")
        assert waiting.get_by_role("link").get_attribute("title") == third
        assert page.locator(".stn-cluster-unfit").is_hidden()
        unfit = server.start_run(**SHORT_RUN | {"threads": 9})
        server.control(first, "stop")
        waiting.wait_for(state="hidden")
        words = "1 run waits for a node with 9 CPUs, which the cluster does not have"
        waiting_for_node = page.locator(".stn-cluster-unfit").filter(has_text=words)
        assert waiting_for_node.get_by_role("link").get_attribute("title") == unfit
        state.filter(has_text="Live: training on").wait_for()
        browser.close()


SAME_TESTS = (
    "tests/server/routes/test_runs.py",
    "tests/server/test_added_pictures.py",
    "tests/server/test_quota.py",
    "tests/server/streams",
)
OF_PROCESSES_HERE = "priority or hangs or demonstration or killed_server or third_run or device"
"""Tests of what is different on a cluster by design, such as how many runs train at once."""


def test_the_tests_of_runs_pass_with_their_trainers_on_the_cluster(cluster: RayCluster) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += [*SAME_TESTS, "-k", f"not ({OF_PROCESSES_HERE})"]
    for _ in range(4):
        cluster.add_node()
    done = subprocess.run(
        command, env=os.environ | {CLUSTER_VARIABLE: cluster.address}, check=False
    )
    assert done.returncode == 0
