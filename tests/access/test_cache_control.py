"""The cache headers of responses."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from stnscope.access.cache_control import ImmutableFiles

FILE = "/_stcore/bidi-components/stnscope.page-0123456789ab/main.js"


def get(path: str, status: int = 200) -> httpx.Response:
    async def endpoint(_: Request) -> Response:
        return PlainTextResponse("content", status, headers={"Cache-Control": "public"})

    app = Starlette(
        routes=[Route("/{path:path}", endpoint)], middleware=[Middleware(ImmutableFiles)]
    )

    async def send_request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(path)

    return asyncio.run(send_request())


def test_file_with_a_digest_in_its_address_is_cached_for_a_year() -> None:
    cache_control = get(FILE).headers["cache-control"]
    assert cache_control == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (FILE, 404),
        ("/_stcore/bidi-components/stnscope.page/main.js", 200),
        ("/_stcore/bidi-components/stnscope.page-0123456789/main.js", 200),
        ("/api/runs", 200),
        ("/", 200),
    ],
)
def test_other_responses_are_unchanged(path: str, status: int) -> None:
    response = get(path, status)
    assert response.status_code == status
    assert response.headers["cache-control"] == "public"
    assert response.text == "content"
