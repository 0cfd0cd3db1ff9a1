"""What browsers are told to keep, of an application that answers everything."""

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


def answer(path: str, status: int = 200) -> httpx.Response:
    async def endpoint(_: Request) -> Response:
        return PlainTextResponse("said", status, headers={"Cache-Control": "public"})

    app = Starlette(
        routes=[Route("/{path:path}", endpoint)], middleware=[Middleware(ImmutableFiles)]
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gate") as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_file_with_a_digest_in_its_address_is_cached_for_a_year() -> None:
    kept = answer(FILE).headers["cache-control"]
    assert kept == "public, max-age=31536000, immutable"


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
    answered = answer(path, status)
    assert answered.status_code == status
    assert answered.headers["cache-control"] == "public"
    assert answered.text == "said"
