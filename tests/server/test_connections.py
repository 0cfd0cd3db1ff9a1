"""Clients that send nothing, send slowly, or are many: each is closed, the others are served."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from stnscope.backend.server.deadlines import Deadlines
from tests.live_server import STNSCOPE, Server, serve
from tests.server.conftest import MINIMAL_SERVER
from tests.server.in_process import serve_in_thread
from tests.timeouts import TIMEOUT_SECONDS

HEAD = "{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n"
MANY = 200
"""More connections than a process may open that has 128 files."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    deadlines = Deadlines(header=1, body=1)
    with serve_in_thread(tmp_path_factory.mktemp("home"), deadlines=deadlines) as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_SECONDS)


def head(server: Server, request: str, length: int | None = None) -> bytes:
    """Return a request's header; complete if the length of a body is given."""
    text = HEAD.format(request, server.port)
    return (text if length is None else f"{text}Content-Length: {length}\r\n\r\n").encode()


def trickle(connection: socket.socket) -> bytes:
    """Send a byte at a time until the server closes the connection; return its response."""
    is_closed = threading.Event()

    def send() -> None:
        try:
            while not is_closed.wait(0.05):
                connection.send(b" ")
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    try:
        return read_to_end(connection)
    finally:
        is_closed.set()
        sender.join()


def read_to_end(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection."""
    received = b""
    try:
        while piece := connection.recv(4096):
            received += piece
    except ConnectionError:
        pass
    return received


def test_silent_connection_is_closed(server: Server) -> None:
    with closing(connect(server)) as connection:
        assert read_to_end(connection) == b""


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x00\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b" \n" * 9000]
)
def test_what_is_no_http_is_refused_like_any_other_error(server: Server, garbage: bytes) -> None:
    with closing(connect(server)) as connection:
        connection.send(garbage)
        response = read_to_end(connection).lower()
    assert response.startswith(b"http/1.1 400")
    for text in (b"application/problem+json", b"nosniff", b"referrer-policy", b"frame-ancestors"):
        assert text in response


def test_garbage_behind_a_request_ends_its_connection_only(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.send(head(server, "GET /api/runs", 0) + b"\x00\x01\r\n\r\n" * 100)
        read_to_end(connection)
    assert server.http.get("/health").status_code == 200


def test_header_that_trickles_is_given_up(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.send(head(server, "GET /api/health") + b"X-Padding: ")
        assert trickle(connection) == b""


def test_second_header_that_trickles_is_given_up(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.send(head(server, "GET /api/health", 0) + b"GET /api")
        assert trickle(connection).startswith(b"HTTP/1.1 200")


def test_body_that_trickles_is_given_up(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.send(head(server, "POST /api/runs", 60_000))
        response = trickle(connection)
    assert response.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in response


def test_body_that_nobody_reads_is_given_up(server: Server) -> None:
    with closing(connect(server)) as connection:
        connection.send(head(server, "POST /api/nothing", 60_000))
        assert trickle(connection).startswith(b"HTTP/1.1 404")


def test_connection_between_requests_is_kept(server: Server) -> None:
    """It is idle, which has a longer deadline."""
    with closing(HTTPConnection("127.0.0.1", server.port)) as idle:
        for _ in range(2):
            idle.request("GET", "/api/health")
            assert idle.getresponse().read()
            used = idle.sock
            with closing(connect(server)) as silent:
                assert read_to_end(silent) == b""
            assert idle.sock is used


def test_server_without_further_files_waits_and_recovers(tmp_path: Path) -> None:
    """Its log names the reason once."""
    limited = ("sh", "-c", 'ulimit -n 128; exec "$0" "$@"', *STNSCOPE)
    log = tmp_path / "log"
    options = (*MINIMAL_SERVER, "--deadline", "header=2")
    with (
        serve(tmp_path / "home", *options, log=log, program=limited) as server,
        ExitStack() as connections,
    ):
        for _ in range(MANY):
            connections.enter_context(closing(connect(server)))
        for _ in range(3):
            assert server.http.get("/runs").status_code == 200
    assert log.read_text().count("New connections wait") == 1
    assert "Traceback" not in log.read_text()
