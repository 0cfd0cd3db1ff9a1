"""Deadlines for request bodies: one that arrives too slowly is aborted."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BYTES_PER_SECOND = 1000.0
"""The rate below which a body is aborted; the slowest modems were faster."""

LATE = "The body was received too slowly, so the request was aborted. Send it again."


class BodyDeadline:
    """ASGI middleware that responds with 408 if a body makes too little progress.

    Args:
        app: the application.
        seconds: in which a body may be late; each further second needs `BYTES_PER_SECOND`.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._seconds
        is_complete = False

        async def receive_in_time() -> Message:
            nonlocal deadline, is_complete
            if is_complete:
                return await receive()  # the end of the connection
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                # Else the connection would be read on, up to the end of the body.
                raise HTTPException(408, LATE, {"Connection": "close"}) from None
            deadline += len(message.get("body", b"")) / BYTES_PER_SECOND
            is_complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time, send)
