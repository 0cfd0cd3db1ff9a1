"""What the document at `/` shows before the page's scripts have started."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from stnscope.access.first_paint import FirstPaint
from tests.conftest import ROOT

DOCUMENT = '<body><div id="root"></div></body>'
FOLDER = ROOT / "dashboard"


def get(address: str, document: str = DOCUMENT) -> httpx.Response:
    async def endpoint(_: Request) -> Response:
        return HTMLResponse(document, headers={"ETag": "tag"})

    middleware = [Middleware(FirstPaint, folder=FOLDER)]
    app = Starlette(routes=[Route("/{path:path}", endpoint)], middleware=middleware)

    async def send_request() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(address)

    return asyncio.run(send_request())


@pytest.mark.parametrize(
    ("address", "has_poster"), [("/", True), ("/?run=abc&step=3", True), ("/?tab=how", False)]
)
def test_style_and_poster_precede_what_scripts_fill(address: str, has_poster: bool) -> None:
    response = get(address)
    style, poster = ((FOLDER / name).read_text() for name in ("page.css", "poster.html"))
    added = f"<style>{style}</style>" + has_poster * poster
    assert response.text == f'<body>{added}<div id="root"></div></body>'
    assert int(response.headers["content-length"]) == len(response.content)
    # It is no longer the document that the tag names.
    assert "etag" not in response.headers


@pytest.mark.parametrize(
    ("address", "document"), [("/other", DOCUMENT), ("/", "<body>error</body>")]
)
def test_other_documents_are_unchanged(address: str, document: str) -> None:
    response = get(address, document)
    assert response.text == document
    assert response.headers["etag"] == "tag"
