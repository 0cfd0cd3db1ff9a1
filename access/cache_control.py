"""What browsers may keep: files under an address that carries a digest of them."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DIGEST = re.compile(r"-[0-9a-f]{12}/")
IMMUTABLE = "public, max-age=31536000, immutable"


class ImmutableFiles:
    """ASGI middleware that has browsers keep what never changes under its address.

    Streamlit calls the files of a component public, without saying for how long; browsers then ask
    for all of them, and compile all of them, at each visit.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not DIGEST.search(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = IMMUTABLE
            await send(message)

        await self._app(scope, receive, keep)
