"""Every route of the interface and of the page is behind access control."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stnscope.access.policy import Access
from stnscope.backend.server.settings import Settings
from tests.live_server import Server, free_port, inference_pid, receive, serve, wait_until
from tests.server.conftest import MINIMAL_SERVER

ROOT = Path(__file__).parents[2]
TOKEN = "correct-horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COOKIE = {"Cookie": f"stnscope_token={TOKEN}"}
REFUSED = (401, 403, 421)
# Streamlit refuses these itself: uploads without its own token, and agents, which are disabled.
REFUSED_BY_STREAMLIT = [
    ("PUT", "/_stcore/upload_file/x/x"),
    ("DELETE", "/_stcore/upload_file/x/x"),
    ("POST", "/_stcore/agent/interact"),
]

Routes = list[tuple[str, str]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory, log: Path) -> Iterator[Server]:
    """A server with its page, as `make run` starts one, and a token."""
    options = ("--no-demonstration", "--no-standby", "--token", TOKEN)
    with serve(tmp_path_factory.mktemp("home"), *options, log=log) as server:
        yield server


@pytest.fixture(scope="module")
def routes() -> Routes:
    """All routes that are served."""
    listed = subprocess.run(
        [sys.executable, "-m", "tests.server.served_routes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    return [(method, path) for method, path in json.loads(listed.stdout)]


def status(server: Server, method: str, path: str, headers: dict[str, str]) -> int:
    """Return the status of a route's response; 101 for a WebSocket that opens."""
    if method != "WEBSOCKET":
        address = f"http://127.0.0.1:{server.port}{path}"
        return server.http.request(method, address, headers=headers).status_code
    # The library takes the Host from the address; the socket is connected to this server already.
    host = headers.get("Host", f"127.0.0.1:{server.port}")
    further = {name: value for name, value in headers.items() if name != "Host"}
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        try:
            with connect(f"ws://{host}{path}", sock=connection, additional_headers=further):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


def test_routes_of_the_interface_and_the_page_are_listed(routes: Routes) -> None:
    assert {
        ("GET", "/"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("POST", "/api/runs"),
        ("POST", "/api/transform"),
        ("WEBSOCKET", "/api/runs/x/stream"),
        ("WEBSOCKET", "/_stcore/stream"),
        ("PUT", "/_stcore/upload_file/x/x"),
        ("GET", "/_stcore/health"),
        ("GET", "/_stcore/host-config"),
        ("GET", "/media/x"),
        ("GET", "/component/x"),
        ("POST", "/_stcore/agent/interact"),
    } <= set(routes)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Cookie": f"stnscope_token=wrong; other={TOKEN}"},
    ],
    ids=str,
)
def test_every_route_refuses_requests_without_the_right_token(
    protected: Server, routes: Routes, headers: dict[str, str]
) -> None:
    accepted = {
        (method, path): status_code
        for method, path in routes
        if (status_code := status(protected, method, path, headers))
        != (403 if method == "WEBSOCKET" else 401)
    }
    assert accepted == {}


@pytest.mark.parametrize("headers", [BEARER, COOKIE], ids=["bearer", "cookie"])
def test_every_route_accepts_the_token(
    protected: Server, routes: Routes, headers: dict[str, str]
) -> None:
    for method, path in routes:
        status_code = status(protected, method, path, headers)
        if (method, path) in REFUSED_BY_STREAMLIT:
            assert status_code == 403, (method, path)
        else:
            assert status_code not in REFUSED, (method, path)
            assert status_code < 500, (method, path)


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:{port}.evil.example", "http://localhost:3000", "null"]
)
def test_every_route_refuses_a_page_of_another_origin(
    protected: Server, routes: Routes, origin: str
) -> None:
    headers = {"Origin": origin.format(port=protected.port), **COOKIE}
    for method, path in routes:
        assert status(protected, method, path, headers) == 403, (method, path)


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1"])
def test_every_route_refuses_another_host(protected: Server, routes: Routes, host: str) -> None:
    headers = {"Host": host.format(port=protected.port), **BEARER}
    for method, path in routes:
        expected = 403 if method == "WEBSOCKET" else 421
        assert status(protected, method, path, headers) == expected, (method, path)


def test_own_origin_is_accepted_by_each_of_its_names(protected: Server) -> None:
    for name in ("127.0.0.1", "localhost"):
        host = f"{name}:{protected.port}"
        headers = {"Host": host, "Origin": f"http://{host}", **BEARER}
        assert protected.http.get("/health", headers=headers).status_code == 200
        assert status(protected, "WEBSOCKET", "/_stcore/stream", headers) == 101


def test_stream_accepts_the_token(protected: Server) -> None:
    run_id = protected.http.post("/runs", json={"epochs": 1000}, headers=BEARER).json()["id"]
    for headers in (BEARER, COOKIE):
        with protected.open_stream(run_id, additional_headers=headers) as viewer:
            assert receive(viewer, "run")["id"] == run_id
    stop = {"action": "stop"}
    protected.http.post(f"/runs/{run_id}/control", json=stop, headers=BEARER).raise_for_status()


def test_refused_request_changes_nothing(protected: Server) -> None:
    def ids() -> list[str]:
        return [run["id"] for run in protected.http.get("/runs", headers=BEARER).json()]

    before = ids()
    protected.http.post("/runs", json={})
    protected.http.post("/runs", json={}, headers=BEARER | {"Origin": "http://evil.example"})
    protected.http.post("/runs", json={}, headers=BEARER | {"Host": "evil.example"})
    assert ids() == before


@pytest.mark.parametrize("headers", [BEARER, {}, {"Host": "evil.example"}], ids=str)
def test_every_response_has_security_headers(
    protected: Server, routes: Routes, headers: dict[str, str]
) -> None:
    for method, path in routes:
        if method == "WEBSOCKET":
            continue
        address = f"http://127.0.0.1:{protected.port}{path}"
        response = protected.http.request(method, address, headers=headers)
        policy = response.headers["content-security-policy"]
        assert "default-src" in policy, (method, path)
        assert policy.endswith("frame-ancestors 'self'"), (method, path)
        assert response.headers["x-content-type-options"] == "nosniff", (method, path)
        assert response.headers["referrer-policy"], (method, path)


def test_pages_that_may_embed_this_one_are_named(tmp_path: Path) -> None:
    frame = ("--allow-frame", "http://localhost:8888")
    with serve(tmp_path, *MINIMAL_SERVER, *frame) as server:
        policy = server.http.get("/health").headers["content-security-policy"]
    assert policy.endswith("; frame-ancestors 'self' http://localhost:8888")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_child_process_has_the_token(protected: Server) -> None:
    """Neither in its environment nor in its arguments."""
    protected.http.post("/transform", files={"image": b"none"}, headers=BEARER)
    child = Path("/proc", str(inference_pid(protected)))
    wait_until(lambda: b"PATH=" in (child / "environ").read_bytes())
    for name in ("environ", "cmdline"):
        assert TOKEN.encode() not in (child / name).read_bytes()


def test_token_is_printed_once_and_never_logged(protected: Server, log: Path) -> None:
    for path in ("", "_stcore/stream", "api/runs", "api/none"):
        for query in (f"?token={TOKEN}", f"?token={TOKEN}x", f"?a={TOKEN}"):
            status(protected, "GET", f"/{path}{query}", COOKIE)
            protected.http.cookies.clear()
    status(protected, "WEBSOCKET", f"/_stcore/stream?token={TOKEN}", {})
    protected.http.post("/transform", files={"image": b"none"}, headers=BEARER)
    printed = log.read_text()
    assert printed.count(TOKEN) == 1
    assert f"http://localhost:{protected.port}/?token={TOKEN}" in printed


def test_forwarded_headers_are_trusted_from_named_proxies_only(tmp_path: Path) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"}
    interface = (*MINIMAL_SERVER, "--token", TOKEN)
    for trusted, secure in ((), False), (("--trust-proxy", "127.0.0.1"), True):
        with serve(tmp_path / str(secure), *interface, *trusted) as server:
            response = server.http.get("/runs", params={"token": TOKEN}, headers=forwarded)
        assert ("; Secure" in response.headers["set-cookie"]) == secure


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--token", "zwei Wörter"), "A token consists of"),
        (("--trust-proxy", "*"), "'*' does not appear to be"),
        (("--trust-proxy", "proxy.example"), "'proxy.example' does not appear to be"),
    ],
)
def test_invalid_settings_are_refused_with_a_message(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    command = [sys.executable, "-m", "stnscope", "serve", "--home", str(tmp_path), *options]
    command += ["--port", str(free_port())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_generates_a_token_for_an_address_beyond_this_machine(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serve(tmp_path, *MINIMAL_SERVER, "--host", "0.0.0.0", "--token", "", log=log) as server:
        assert server.http.get("/runs").status_code == 401
        wait_until(lambda: "?token=" in log.read_text())
        token = log.read_text().partition("?token=")[2].split()[0]
        assert len(token) >= 32
        response = server.http.get("/runs", headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 200


def test_settings_beyond_loopback_need_a_token(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        Settings(home=tmp_path, host="0.0.0.0")
    assert isinstance(Settings(home=tmp_path, host="0.0.0.0", token="x").access, Access)
