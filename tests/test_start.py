"""The start of the server from a terminal."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from stnscope.backend.commands.serve import listen
from tests.live_server import free_port, wait_until
from tests.timeouts import TIMEOUT_SECONDS

pytestmark = pytest.mark.usefixtures("new_interpreters")


@contextmanager
def serve_process(home: Path, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `stnscope serve` with a token, and its output in a file, until the end of the block."""
    command = [sys.executable, "-m", "stnscope", "serve", "--token", "sesame", "--no-demonstration"]
    command += ["--no-standby", "--home", str(home), "--port", str(port)]
    with log.open("wb") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: "is ready" in log.read_text() or server.poll() is not None)
            yield server
        finally:
            server.terminate()
            server.wait(TIMEOUT_SECONDS)


def test_serve_prints_only_the_link(tmp_path: Path) -> None:
    log, port = tmp_path / "log", free_port()
    with serve_process(tmp_path / "home", log, port):
        link = f"http://localhost:{port}/?token=sesame"
        page = httpx.get(link, follow_redirects=True)
        assert page.status_code == 200
        assert httpx.get(f"http://localhost:{port}/api/runs?token=wrong").status_code == 401
    assert log.read_text().split("\n") == [
        "",
        f"  stnscope is ready: {link}",
        "  Ctrl-C stops it.",
        "",
        "",
    ]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_server_process_does_not_load_torch(tmp_path: Path) -> None:
    port = free_port()
    with serve_process(tmp_path / "home", tmp_path / "log", port) as server:
        bearer = {"Authorization": "Bearer sesame"}
        assert httpx.get(f"http://localhost:{port}/api/catalog", headers=bearer).is_success
        maps = Path(f"/proc/{server.pid}/maps").read_text()
        assert "numpy" in maps, "the file lists loaded libraries"
        assert "libtorch" not in maps


def test_port_in_use_is_reported_and_nothing_is_created(tmp_path: Path) -> None:
    port = free_port()
    with serve_process(tmp_path / "home", tmp_path / "log", port):
        command = [sys.executable, "-m", "stnscope", "serve", "--home", str(tmp_path / "other")]
        second = subprocess.run(
            [*command, "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert second.returncode == 1
        assert second.stderr == (
            f"stnscope: cannot listen on port {port} of 127.0.0.1: Address already in use. "
            "Choose another port with --port.\n"
        )
        assert not (tmp_path / "other").exists()


def test_connections_send_without_delay() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
