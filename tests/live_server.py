"""Starts a real server for tests, in a separate process, on a free port, with an empty home."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.timeouts import TIMEOUT_SECONDS

CONTROL_TIMEOUT = ("--control-timeout", str(TIMEOUT_SECONDS))
CLUSTER_VARIABLE = "STNSCOPE_TEST_CLUSTER"
"""Has the address of a cluster if that is to train the runs of the servers."""
STNSCOPE = (sys.executable, "-m", "stnscope")

# Two dozen steps of a network that trains quickly: a complete run.
SHORT_RUN = {
    "architecture": "paper-st-fcn",
    "epochs": 1,
    "batch_size": 1000,
    "probes": {"count": 2},
}


@dataclass
class Server:
    """A server process of a test, with an HTTP client and helpers for its API."""

    home: Path
    port: int
    options: tuple[str, ...] = ()
    log: Path | None = None
    """File for its output; None prints it with the output of the tests."""
    program: tuple[str, ...] = STNSCOPE
    folder: Path | None = None
    """Its current folder; None for that of the tests."""
    process: subprocess.Popen[bytes] | None = None
    http: httpx.Client = field(init=False)

    def start(self) -> None:
        # The last of two equal options counts: a test may choose its own timeout.
        command = [*self.program, "serve", *CONTROL_TIMEOUT, *self.options]
        command += ["--port", str(self.port), "--home", str(self.home)]
        if cluster := os.environ.get(CLUSTER_VARIABLE):
            command += ["--cluster", cluster]
        environment = os.environ | {"STNSCOPE_TOKEN": "", "STNSCOPE_VIEWER_TOKEN": ""}
        # The name of a test may contain a token, which no process of the server is to have.
        environment.pop("PYTEST_CURRENT_TEST", None)
        with self.log.open("ab") if self.log else nullcontext() as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log
            )
        self.http = self._client()
        wait_until(self._is_healthy)

    @contextmanager
    def connected(self) -> Iterator[Self]:
        """Use a server that runs already, without starting or stopping it."""
        with self._client() as self.http:
            yield self

    def _client(self) -> httpx.Client:
        # Without TLS no certificates are needed, which take 20 ms to load.
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/api", timeout=2 * TIMEOUT_SECONDS, verify=False
        )

    def _is_healthy(self) -> bool:
        try:
            return self.http.get("/health").status_code in (200, 401)
        except httpx.TransportError:
            return False

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(signal_number)
        self.process.wait(TIMEOUT_SECONDS)
        self.http.close()

    def get_run(self, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.http.get(f"/runs/{run_id}").raise_for_status().json()
        return run

    def recorded_steps(self, run_id: str) -> list[int]:
        """Return the steps that have frames; a fast training does not record each step."""
        steps: list[int] = self.http.get(f"/runs/{run_id}/frames").json()["steps"]
        return steps

    def start_run(self, **config: Any) -> str:
        """Start a run, of small batches unless `config` names another size; return its id."""
        response = self.http.post("/runs", json={"batch_size": BATCH_SIZE} | config)
        assert response.status_code == 201, response.text
        run_id: str = response.json()["id"]
        return run_id

    def start_endless_run(self, **config: Any) -> str:
        """Start a run that trains, slowly, until it is stopped; return once it trains."""
        run_id = self.start_run(**{"epochs": 1000} | config)
        self.slow_down(run_id)
        return run_id

    def slow_down(self, run_id: str) -> None:
        """Let a run, once it trains, do so slowly, which leaves the cores to other tests."""
        self.wait_for_step(run_id, 1)
        self.post_control(run_id, slow_motion=SLOW_STEP_SECONDS).raise_for_status()

    def control(self, run_id: str, action: str) -> httpx.Response:
        return self.post_control(run_id, action=action)

    def post_control(self, run_id: str, **request: Any) -> httpx.Response:
        return self.http.post(f"/runs/{run_id}/control", json=request)

    def wait_for_status(self, run_id: str, *statuses: str) -> dict[str, Any]:
        wait_until(lambda: self.get_run(run_id)["status"] in statuses)
        return self.get_run(run_id)

    def wait_for_step(self, run_id: str, step: int) -> dict[str, Any]:
        wait_until(lambda: self.get_run(run_id)["step"] >= step)
        return self.get_run(run_id)

    def open_stream(self, run_id: str, **options: Any) -> ClientConnection:
        return self.open_socket(f"/runs/{run_id}/stream", **options)

    def open_socket(self, path: str, **options: Any) -> ClientConnection:
        address = f"ws://127.0.0.1:{self.port}/api{path}"
        connection: ClientConnection = connect(address, compression=None, **options)
        return connection


BATCH_SIZE = 8
"""Images of a training step, which so takes a third of the time that 64 images take."""
SLOW_STEP_SECONDS = 0.25
"""Seconds for each step of a run that is slowed down."""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    pause = 0.01
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {TIMEOUT_SECONDS} s"
        time.sleep(pause)
        # A request to a page or a server takes some 5 ms of a core, so what takes long is polled
        # rarely.
        pause = min(1.5 * pause, 0.3)


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended and is not yet waited for does not."""
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()
    return status.rpartition(")")[2].split()[0] != "Z"


def inference_pid(server: Server) -> int:
    """Return the process id of a server's inference process."""
    assert server.process is not None
    [pid] = child_pids(server.process.pid, "inference_main")
    return pid


def child_pids(parent: int, module: str) -> list[int]:
    """Return the ids of the child processes of a process that run a module of the server."""
    command = f"stnscope.backend.server.processes.{module}".encode()
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            status = process.joinpath("stat").read_text().rpartition(")")[2].split()
            is_child = int(status[1]) == parent and status[0] != "Z"
            if is_child and command in process.joinpath("cmdline").read_bytes():
                pids.append(int(process.name))
    return pids


def send(viewer: ClientConnection, **message: Any) -> None:
    viewer.send(json.dumps(message))


def receive(viewer: ClientConnection, kind: str) -> Any:
    """Return the next message of a type; `frame` stands for binary messages."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        message = viewer.recv(timeout=deadline - time.monotonic())
        if isinstance(message, bytes):
            if kind == "frame":
                return message
            continue
        decoded = json.loads(message)
        if decoded["type"] == kind:
            return decoded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(
    home: Path,
    *options: str,
    port: int | None = None,
    log: Path | None = None,
    program: tuple[str, ...] = STNSCOPE,
) -> Iterator[Server]:
    """Start a server, on a free port unless one is given; stop it at the end of the block."""
    server = Server(home, port or free_port(), options, log, program)
    server.start()
    try:
        yield server
    finally:
        assert server.process is not None
        if server.process.poll() is None:
            server.stop()
