"""Security headers: on every response, with the policy that fits its path."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from stnscope.access.security_headers import (
    DATA_POLICY,
    POLICY,
    SecurityHeaders,
    page_policy,
)

HTML = "<script>\n  start()\n</script><script type='module' src='./a.js'></script>"


async def show(request: Request) -> PlainTextResponse:
    headers = {POLICY: "default-src 'none'"} if "own" in request.query_params else None
    return PlainTextResponse("text", headers=headers)


async def fail(_: Request) -> PlainTextResponse:
    raise RuntimeError


def get(path: str, *, frames: tuple[str, ...] = ()) -> Mapping[str, str]:
    application = Starlette(routes=[Route("/fail", fail), Route("/{path:path}", show)])
    policies = {"/": "default-src 'self'", "/api/": DATA_POLICY}
    transport = httpx.ASGITransport(
        SecurityHeaders(application, policies, frames), raise_app_exceptions=False
    )

    async def request() -> Mapping[str, str]:
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return (await client.get(path)).headers

    return asyncio.run(request())


@pytest.mark.parametrize("path", ["/", "/api/runs", "/fail", "/?own"])
def test_every_response_has_the_headers(path: str) -> None:
    headers = get(path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers[POLICY].endswith("; frame-ancestors 'self'")


def test_the_longest_path_decides_the_policy() -> None:
    assert get("/page")[POLICY].startswith("default-src 'self';")
    assert get("/api/runs")[POLICY].startswith(DATA_POLICY)


def test_a_response_keeps_its_own_policy() -> None:
    assert get("/?own")[POLICY] == "default-src 'none'; frame-ancestors 'self'"


def test_pages_that_may_embed_are_named() -> None:
    policy = get("/", frames=("http://b.example", "http://a.example:8888"))[POLICY]
    assert policy.endswith("; frame-ancestors 'self' http://a.example:8888 http://b.example")


def test_inline_scripts_of_the_page_are_allowed_by_their_digest() -> None:
    script_rule = page_policy(HTML).split("; ")[1]
    # echo -ne '\n  start()\n' | openssl dgst -sha256 -binary | base64
    digest = "2n6R3FoaZIPD8jE5W5oSFi+O1Mxd2A4huA8W1wCSaL0="
    assert script_rule == f"script-src 'self' 'sha256-{digest}'"


def test_page_may_connect_to_an_interface_of_another_origin() -> None:
    policy = page_policy(HTML, "https://lab.example:8502/prefix")
    for rule in ("connect-src", "img-src"):
        [sources] = [each for each in policy.split("; ") if each.startswith(rule)]
        assert sources.endswith("https://lab.example:8502 wss://lab.example:8502")
    assert "example" not in page_policy(HTML)
