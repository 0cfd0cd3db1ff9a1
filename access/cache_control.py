"""Lets browsers cache files whose address contains a digest of their content."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DIGEST = re.compile(r"-[0-9a-f]{12}/")
IMMUTABLE = "public, max-age=31536000, immutable"
IMMUTABLE_PRIVATE = IMMUTABLE.replace("public", "private")
"""For responses that need a token: a shared cache would serve them without one."""


class ImmutableFiles:
    """ASGI middleware that marks files as immutable if their address contains a digest.

    Streamlit serves the files of a component as public but without a maximum age; browsers then
    request, and compile, all of them at each visit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not DIGEST.search(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_immutable(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = IMMUTABLE
            await send(message)

        await self._app(scope, receive, send_immutable)
