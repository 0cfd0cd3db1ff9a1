"""Shows something as soon as the page's document is there, before its scripts have started."""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

START = b'<div id="root">'
"""Start of the element of Streamlit's document that its scripts fill."""


class FirstPaint:
    """ASGI middleware that puts HTML into the document at `/`, above what scripts will fill.

    Streamlit's scripts take a second or two until they paint; the document itself is empty. The
    poster hides itself, by a style, once the page is there. Streamlit applies the page's style a
    frame after it has drawn, so the document has it too.

    Args:
        folder: has `page.css`, the page's style, and `poster.html`.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        style, poster = (
            folder.joinpath(name).read_text(encoding="utf-8")
            for name in ("page.css", "poster.html")
        )
        self._style = f"<style>{style}</style>".encode()
        self._poster = poster.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        # Other tabs have other contents, which begin with text.
        is_stage = b"tab=" not in scope["query_string"]
        html = self._style + self._poster if is_stage else self._style
        start: Message | None = None
        body = b""

        async def send_document(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            if START in body:
                body = body.replace(START, html + START, 1)
                headers = MutableHeaders(scope=start)
                headers["Content-Length"] = str(len(body))
                # It is that of the document without the HTML.
                del headers["ETag"]
            await send(start)
            await send({**message, "body": body})

        await self._app(scope, receive, send_document)
