"""The gate: every route asks for the same Host, Origin and token, and compares them exactly."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from websockets.exceptions import InvalidStatus

from backend.server.app import create_app
from backend.server.settings import Settings
from tests.live_server import Server, hear, serve

TOKEN = "correct-horse"


def interface(tmp_path: Path) -> FastAPI:
    return create_app(Settings(home=tmp_path, token=TOKEN))


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that is served, the interface's own description included."""
    paths = app.openapi()["paths"]
    for path, methods in paths.items():
        for method in methods:
            yield method.upper(), re.sub(r"\{.*?\}", "x", path)
    yield from (
        ("GET", path) for path in ("/docs", "/openapi.json", "/", "/_stcore/health", "/api/x")
    )


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--no-page", "--no-demonstration", "--token", TOKEN)
    with serve(tmp_path_factory.mktemp("home"), *options) as server:
        yield server


def test_every_route_is_listed(tmp_path: Path) -> None:
    app = interface(tmp_path)
    described = (route for route in app.routes if isinstance(route, APIRoute))
    served = {route.path for route in described if route.include_in_schema}
    assert len(list(routes(app))) > 15
    assert served <= set(app.openapi()["paths"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer"},
        {"Cookie": "stnscope_token=wrong"},
        {"Cookie": "stnscope_token="},
        {"Cookie": f"other={TOKEN}"},
        {"X-Token": TOKEN},
    ],
)
def test_no_route_answers_without_the_right_token(
    gated: Server, tmp_path: Path, headers: dict[str, str]
) -> None:
    for method, path in routes(interface(tmp_path)):
        address = f"http://127.0.0.1:{gated.port}{path}"
        answer = httpx.request(method, address, headers=headers)
        assert answer.status_code == 401, (method, path)
        assert TOKEN not in answer.text


def test_right_token_opens_as_bearer_and_as_cookie(gated: Server) -> None:
    for headers in (
        {"Authorization": f"Bearer {TOKEN}"},
        {"Cookie": f"a=b; stnscope_token={TOKEN}"},
    ):
        answer = gated.http.get("/catalog", headers=headers)
        assert answer.status_code == 200


def test_link_with_the_token_becomes_a_cookie_and_an_address_without_it(gated: Server) -> None:
    answer = gated.http.get("/runs", params={"token": TOKEN, "run": "a b"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/api/runs?run=a+b"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    gated.http.cookies.clear()
    refused = gated.http.get("/runs", params={"token": "wrong"})
    assert refused.status_code == 401
    assert "set-cookie" not in refused.headers


def test_stream_needs_the_token_before_it_is_accepted(gated: Server) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with (
            pytest.raises(InvalidStatus) as refused,
            gated.stream("none", additional_headers=headers),
        ):
            pass
        assert refused.value.response.status_code == 403
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    run_id = gated.http.post("/runs", json={}, headers=bearer).json()["id"]
    with gated.stream(run_id, additional_headers=bearer) as viewer:
        assert hear(viewer, "run")["id"] == run_id


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1:1", "localhost.evil.example", "evil.example:{port}", "127.0.0.1"],
)
def test_other_hosts_are_not_answered(server: Server, host: str) -> None:
    answer = server.http.get("/health", headers={"Host": host.format(port=server.port)})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://127.0.0.1:{port}.evil.example",
        "http://evil.example/?http://127.0.0.1:{port}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "null",
    ],
)
def test_pages_of_other_origins_can_do_nothing(server: Server, origin: str) -> None:
    headers = {"Origin": origin.format(port=server.port)}
    before = len(server.http.get("/runs").json())
    assert server.http.post("/runs", json={}, headers=headers).status_code == 403
    assert server.http.get("/runs", headers=headers).status_code == 403
    assert len(server.http.get("/runs").json()) == before


def test_own_origin_under_each_of_its_names_is_welcome(server: Server) -> None:
    for name in ("127.0.0.1", "localhost"):
        own = f"{name}:{server.port}"
        headers = {"Host": own, "Origin": f"http://{own}"}
        assert server.http.get("/health", headers=headers).status_code == 200


def test_listening_beyond_loopback_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        Settings(home=tmp_path, host="0.0.0.0")
