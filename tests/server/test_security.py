"""Every route of the interface and of the page is behind access control."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from stnscope.access.cache_control import IMMUTABLE_PRIVATE
from stnscope.access.policy import Access
from stnscope.access.rights import DECLARED, VIEWER_REFUSAL, Right, needed_right
from stnscope.backend.experiment.watching import page_server
from stnscope.backend.server.settings import Settings
from tests.conftest import TrainedRun
from tests.live_server import Server, free_port, inference_pid, receive, send, serve, wait_until
from tests.server.conftest import MINIMAL_SERVER

ROOT = Path(__file__).parents[2]
TOKEN = "correct-horse"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COOKIE = {"Cookie": f"stnscope_token={TOKEN}"}
VIEWER_TOKEN = "battery-staple"
VIEWER_BEARER = {"Authorization": f"Bearer {VIEWER_TOKEN}"}
VIEWER_COOKIE = {"Cookie": f"stnscope_viewer_token={VIEWER_TOKEN}"}
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
    """A server with its page, as `make run` starts one, and two tokens."""
    options = ("--no-demonstration", "--no-standby", "--token", TOKEN)
    viewers = ("--viewer-token", VIEWER_TOKEN)
    with serve(tmp_path_factory.mktemp("home"), *options, *viewers, log=log) as server:
        yield server


@pytest.fixture(scope="module")
def listed_routes() -> list[tuple[str, str, str]]:
    """All routes that are served: the method, an example of the path, and the path."""
    listed = subprocess.run(
        [sys.executable, "-m", "tests.server.served_routes"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    return [(method, example, path) for method, example, path in json.loads(listed.stdout)]


@pytest.fixture(scope="module")
def routes(listed_routes: list[tuple[str, str, str]]) -> Routes:
    """All routes that are served, with examples of their paths."""
    return [(method, example) for method, example, _ in listed_routes]


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
        # Each token has a cookie of its own.
        {"Cookie": f"stnscope_token={VIEWER_TOKEN}; stnscope_viewer_token={TOKEN}"},
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


def test_every_route_has_a_declared_right(listed_routes: list[tuple[str, str, str]]) -> None:
    """HEAD needs what GET needs, and OPTIONS never more than to view."""
    served = {
        (method, path) for method, _, path in listed_routes if method not in ("HEAD", "OPTIONS")
    }
    assert served == DECLARED[Right.ACT] | DECLARED[Right.VIEW]
    assert not DECLARED[Right.ACT] & DECLARED[Right.VIEW]
    for method, example, path in listed_routes:
        if method not in ("HEAD", "OPTIONS"):
            assert (method, path) in DECLARED[needed_right(method, example)]


@pytest.mark.parametrize("headers", [VIEWER_BEARER, VIEWER_COOKIE], ids=["bearer", "cookie"])
def test_viewer_token_suffices_for_exactly_the_routes_that_need_no_more(
    protected: Server, routes: Routes, headers: dict[str, str]
) -> None:
    refused_routes = set()
    for method, path in routes:
        status_code = status(protected, method, path, headers)
        assert status_code not in (401, 421), (method, path)
        if status_code == 403 and (method, path) not in REFUSED_BY_STREAMLIT:
            refused_routes.add((method, path))
    refused_routes |= {route for route in REFUSED_BY_STREAMLIT if needed_right(*route) == "act"}
    assert refused_routes == {route for route in routes if needed_right(*route) is Right.ACT}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/runs"),
        ("POST", "/runs/{run_id}/control"),
        ("POST", "/runs/{run_id}/probes"),
        ("DELETE", "/runs/{run_id}"),
        ("POST", "/runs/{run_id}/exports"),
        ("GET", "/runs/{run_id}/export"),
        ("HEAD", "/runs/{run_id}/export"),
        ("POST", "/recordings"),
        ("POST", "/datasets/mnist/download"),
        ("DELETE", "/datasets/mnist/download"),
        ("PUT", "/none"),
    ],
)
def test_viewer_is_told_in_one_sentence_why_nothing_happens(
    protected: Server, trained_run: TrainedRun, method: str, path: str
) -> None:
    run_id = trained_run.copy_into(protected.home)
    before = protected.http.get("/runs", headers=BEARER).json()
    address = path.format(run_id=run_id)
    response = protected.http.request(method, address, headers=VIEWER_BEARER, json={})
    assert response.status_code == 403
    if method != "HEAD":
        assert response.json()["detail"] == VIEWER_REFUSAL
    assert protected.http.get("/runs", headers=BEARER).json() == before


def test_viewer_watches_a_run_that_allows_them_nothing(
    protected: Server, trained_run: TrainedRun
) -> None:
    run_id = trained_run.copy_into(protected.home)
    address = f"/runs/{run_id}"
    assert "delete" in protected.http.get(address, headers=BEARER).json()["can"]
    with protected.open_stream(run_id, additional_headers=VIEWER_COOKIE) as viewer:
        send(viewer, type="hello", last_step=None)
        streamed = receive(viewer, "run")
    listed = protected.http.get("/runs", headers=VIEWER_BEARER).json()
    for run in (streamed, protected.http.get(address, headers=VIEWER_BEARER).json(), *listed):
        assert run["can"] == []
        assert run["picture_refusal"] == VIEWER_REFUSAL
    for part in ("/metrics", "/frames", "/frames/0", "/recording"):
        assert protected.http.get(address + part, headers=VIEWER_BEARER).status_code == 200


def test_no_shared_cache_keeps_frames_that_need_a_token(
    protected: Server, trained_run: TrainedRun
) -> None:
    run_id = trained_run.copy_into(protected.home)
    for path in ("frames/0", "frames/0/picture"):
        address = f"/runs/{run_id}/{path}?attempt=0"
        cache_control = protected.http.get(address, headers=VIEWER_BEARER).headers["cache-control"]
        assert cache_control == IMMUTABLE_PRIVATE
        assert "private" in cache_control


def test_viewer_has_a_picture_of_their_own_transformed(protected: Server) -> None:
    files = {"image": (ROOT / "dashboard/assets/examples/corner.png").read_bytes()}
    response = protected.http.post("/transform", files=files, headers=VIEWER_BEARER)
    assert response.status_code == 200


def test_access_says_what_a_token_permits(protected: Server) -> None:
    acting = protected.http.get("/access", headers=BEARER).json()
    assert acting == {
        "may_act": True,
        "refusal": None,
        "needs_token": True,
        "viewer_token": VIEWER_TOKEN,
        "address": None,
    }
    both = VIEWER_COOKIE["Cookie"] + "; " + COOKIE["Cookie"]
    assert protected.http.get("/access", headers={"Cookie": both}).json() == acting
    viewing = protected.http.get("/access", headers=VIEWER_COOKIE)
    assert viewing.json() == acting | {"may_act": False, "refusal": VIEWER_REFUSAL}
    assert TOKEN not in viewing.text


def test_link_for_viewing_takes_no_ones_right_to_act(protected: Server) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{protected.port}/api") as browser:
        for token, may_act in ((VIEWER_TOKEN, False), (TOKEN, True), (VIEWER_TOKEN, True)):
            signed_in = browser.get("/access", params={"token": token}, follow_redirects=True)
            assert signed_in.json()["may_act"] is may_act


def test_description_has_the_right_that_each_route_needs(protected: Server) -> None:
    address = f"http://127.0.0.1:{protected.port}/openapi.json"
    paths = protected.http.get(address, headers=VIEWER_BEARER).json()["paths"]
    assert paths["/api/runs"]["get"]["x-right"] == "view"
    assert paths["/api/runs"]["post"]["x-right"] == "act"
    assert paths["/api/runs/{run_id}/export"]["get"]["x-right"] == "act"


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


def test_pages_that_may_embed_this_one_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = ("--allow-frame", "http://lab.example", "--allow-frame", "notebook")
    with serve(tmp_path, *MINIMAL_SERVER, *frames) as server:
        policy = server.http.get("/health").headers["content-security-policy"]
        # A loop in a notebook shows its run on a server that runs already.
        address = f"http://localhost:{server.port}/"
        monkeypatch.setattr(page_server, "DEFAULT_ADDRESS", address)
        assert page_server.find_or_start("example-digits", tmp_path) == address
    assert policy.endswith(
        "; frame-ancestors 'self' http://lab.example http://localhost:* http://127.0.0.1:*"
        " vscode-webview: vscode-file:"
    )


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_no_child_process_has_a_token(protected: Server) -> None:
    """Neither in its environment nor in its arguments."""
    protected.http.post("/transform", files={"image": b"none"}, headers=BEARER)
    child = Path("/proc", str(inference_pid(protected)))
    wait_until(lambda: b"PATH=" in (child / "environ").read_bytes())
    for name in ("environ", "cmdline"):
        for token in (TOKEN, VIEWER_TOKEN):
            assert token.encode() not in (child / name).read_bytes()


def test_token_is_printed_once_and_never_logged(protected: Server, log: Path) -> None:
    for path in ("", "_stcore/stream", "api/runs", "api/none"):
        for query in (f"?token={TOKEN}", f"?token={TOKEN}x", f"?a={TOKEN}"):
            status(protected, "GET", f"/{path}{query}", COOKIE)
            protected.http.cookies.clear()
    status(protected, "WEBSOCKET", f"/_stcore/stream?token={TOKEN}", {})
    protected.http.post("/transform", files={"image": b"none"}, headers=BEARER)
    printed = log.read_text()
    for token in (TOKEN, VIEWER_TOKEN):
        assert printed.count(token) == 1
        assert f": http://localhost:{protected.port}/?token={token}\n" in printed


def test_refused_websocket_has_security_headers(protected: Server) -> None:
    for path in ("/api/transform/stream", "/no/such/socket"):
        response = protected.http.get(
            f"http://127.0.0.1:{protected.port}{path}",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            },
        )
        assert response.status_code == 403
        assert response.headers["content-security-policy"].endswith("frame-ancestors 'self'")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["referrer-policy"] == "same-origin"


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
        (("--viewer-token", "zwei Wörter"), "A token consists of"),
        (("--token", "a", "--viewer-token", "a"), "another one is needed, for acting"),
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


def printed_tokens(log: Path) -> list[str]:
    """Return the tokens in the links that a server has printed: for acting, and for viewing."""
    wait_until(lambda: "Ctrl-C" in log.read_text())
    return [rest.split()[0] for rest in log.read_text().split("?token=")[1:]]


def test_serve_generates_tokens_for_an_address_beyond_this_machine(tmp_path: Path) -> None:
    log = tmp_path / "log"
    shared = ("--no-demonstration", "--no-standby", "--host", "0.0.0.0", "--token", "")
    with serve(tmp_path, *shared, log=log) as server:
        assert server.http.get("/runs").status_code == 401
        acting, viewing = printed_tokens(log)
        assert "To hand out, for viewing only: http" in log.read_text()
        assert min(len(acting), len(viewing)) >= 32
        for token, status_code in ((acting, 422), (viewing, 403)):
            bearer = {"Authorization": f"Bearer {token}"}
            assert server.http.get("/runs", headers=bearer).status_code == 200
            refused = server.http.post("/runs", headers=bearer, json={"dataset": "none"})
            assert refused.status_code == status_code
        access = server.http.get("/access", headers={"Authorization": f"Bearer {viewing}"}).json()
        assert access["viewer_token"] == viewing
        assert f"{access['address']}?token={viewing}" in log.read_text()


def test_serve_generates_a_token_for_acting_beside_one_for_viewing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serve(tmp_path, *MINIMAL_SERVER, "--viewer-token", VIEWER_TOKEN, log=log) as server:
        acting, viewing = printed_tokens(log)
        assert viewing == VIEWER_TOKEN
        assert server.http.get("/runs").status_code == 401
        bearer = {"Authorization": f"Bearer {acting}"}
        assert server.http.get("/access", headers=bearer).json()["may_act"]


def test_settings_beyond_loopback_need_a_token(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        Settings(home=tmp_path, host="0.0.0.0")
    assert isinstance(Settings(home=tmp_path, host="0.0.0.0", token="x").access, Access)
