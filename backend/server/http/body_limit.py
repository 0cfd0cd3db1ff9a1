"""Stops reading a request's body where it is larger than anything this interface takes."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stnscope.access.responses import problem
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from stnscope.backend.experiment.recording.quota import in_words

FORM_BYTES = 1024 * 1024
"""Of a form around a file."""


class BodyLimit:
    """ASGI middleware for the interface's own routes; told lengths are refused unread.

    Args:
        larger: addresses that take larger files, and how large these may be in bytes.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        file = self._larger.get(scope["path"], MAX_PICTURE_BYTES)
        most = file + FORM_BYTES
        too_large = f"This request is larger than {in_words(file)}. Send a smaller file."
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            await problem(413, too_large)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413, too_large)
            return message

        await self._app(scope, counted, send)
