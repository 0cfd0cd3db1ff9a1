"""Limits the size of request bodies."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stnscope.access.responses import problem
from stnscope.backend.experiment.limits import MAX_PICTURE_BYTES
from stnscope.backend.experiment.recording.quota import format_bytes

FORM_BYTES = 1024 * 1024
"""Of a form, beside its file."""


class BodyLimit:
    """ASGI middleware that refuses larger bodies with 413: unread, if their length is declared.

    Args:
        app: the application; only its paths below `/api/` are limited.
        larger: paths that accept larger files, and how many bytes these may have.
    """

    def __init__(self, app: ASGIApp, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        file_limit = self._larger.get(scope["path"], MAX_PICTURE_BYTES)
        limit = file_limit + FORM_BYTES
        too_large = f"This request is larger than {format_bytes(file_limit)}. Send a smaller file."
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            await problem(413, too_large)(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, too_large)
            return message

        await self._app(scope, receive_limited, send)
