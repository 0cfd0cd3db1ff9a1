"""Limits the size of request bodies."""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stnscope.access.responses import problem
from stnscope.backend.experiment.limits import MAX_JSON_BYTES
from stnscope.backend.experiment.recording.quota import format_bytes

FORM_BYTES = 1024 * 1024
"""Maximum of a form besides its file."""


class BodyLimit:
    """ASGI middleware that refuses larger bodies with 413: unread, if their length is declared.

    Args:
        app: the application; only its paths below `/api/` are limited.
        file_limits: patterns of the paths that accept a file, and the maximum size of the file in
            bytes. The body for any other path is JSON.
    """

    def __init__(self, app: ASGIApp, file_limits: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._file_limits = {
            re.compile(pattern): limit for pattern, limit in (file_limits or {}).items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        limit, too_large = self._limit(scope["path"])
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

    def _limit(self, path: str) -> tuple[int, str]:
        """Return the limit for a path, and the message for a body beyond it."""
        for pattern, limit in self._file_limits.items():
            if pattern.fullmatch(path):
                message = f"The body is larger than {format_bytes(limit)}. Send a smaller file."
                return limit + FORM_BYTES, message
        message = f"The body is larger than {format_bytes(MAX_JSON_BYTES)}. Send less."
        return MAX_JSON_BYTES, message
