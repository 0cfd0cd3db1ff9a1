"""Servers for the tests: one that they share, or one each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TrainedRun
from tests.live_server import Server, serve

MINIMAL_SERVER = ("--no-page", "--no-demonstration", "--no-standby")

LONG = {"epochs": 50, "probes": {"count": 2}}
"""A run that does not end during a test."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests that do not change it."""
    with serve(tmp_path_factory.mktemp("home"), *MINIMAL_SERVER) as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    with serve(tmp_path / "home", *MINIMAL_SERVER) as server:
        yield server


@pytest.fixture(scope="session")
def finished(server: Server, trained_run: TrainedRun) -> str:
    """A run that has finished."""
    return trained_run.copy_into(server.home)


@pytest.fixture(scope="session")
def endless(server: Server) -> Iterator[str]:
    """A run that does not end; it is paused while no test needs it."""
    run_id = server.start_endless_run(probes={"count": 2})
    server.control(run_id, "pause")
    yield run_id
    server.control(run_id, "stop")


@pytest.fixture
def running(server: Server, endless: str) -> Iterator[str]:
    """A run that trains during the test."""
    server.control(endless, "resume").raise_for_status()
    yield endless
    server.control(endless, "pause")


@pytest.fixture
def run_id(server: Server) -> Iterator[str]:
    """A run that has just been started, for one test that may stop, kill or delete it."""
    run_id = server.start_run(**LONG)
    yield run_id
    server.control(run_id, "stop")
