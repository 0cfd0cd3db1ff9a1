"""Security headers on every response: what a browser may do with it, and who may embed it."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from itertools import chain
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "Content-Security-Policy"
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
"""Policy of a response that is data: nothing in it is executed or loaded."""
VIEWER_POLICY = (
    "default-src 'self'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "style-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    "img-src https://fastapi.tiangolo.com data:; base-uri 'none'; form-action 'none'"
)
"""Origins of the scripts of FastAPI's pages that describe the interface."""

NOTEBOOK = "notebook"
"""Represents the frames of notebooks on this machine: those of Jupyter, and those of VS Code."""
NOTEBOOK_FRAMES = (
    "http://localhost:*",
    "http://127.0.0.1:*",
    # Each page above a frame is checked: the notebook's, and the window's.
    "vscode-webview:",
    "vscode-file:",
)

FIXED_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", f"{DATA_POLICY}; frame-ancestors 'self'".encode()),
)
"""Headers of a response without an application: to what is no HTTP, or a refused WebSocket."""
REFUSED_SOCKET: tuple[Message, ...] = (
    {"type": "websocket.http.response.start", "status": 403, "headers": list(FIXED_HEADERS)},
    {"type": "websocket.http.response.body", "body": b""},
)
"""The response to a WebSocket that is closed before it is accepted."""

INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def page_policy(html: str, api: str = "") -> str:
    """Return the policy of the page.

    Args:
        html: the page as it is served; its inline scripts are allowed by their digests.
        api: the address of the interface, if it is not the page's own.
    """
    scripts = ["'self'", *(_digest(script) for script in INLINE_SCRIPT.findall(html))]
    others = _origins(api)
    return "; ".join(
        [
            "default-src 'self'",
            " ".join(["script-src", *scripts]),
            # Streamlit, plotly.js and the page set styles from scripts.
            "style-src 'self' 'unsafe-inline'",
            " ".join(["img-src 'self' data: blob:", *others]),
            "font-src 'self' data:",
            " ".join(["connect-src 'self' data: blob:", *others]),
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        ]
    )


def _digest(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _origins(address: str) -> list[str]:
    """Return the origins, for HTTP and for WebSockets, of an address."""
    parts = urlsplit(address)
    if not parts.netloc:
        return []
    return [f"{parts.scheme}://{parts.netloc}", f"ws{parts.scheme[4:]}://{parts.netloc}"]


class SecurityHeaders:
    """ASGI middleware that adds the headers that a response has not.

    Args:
        app: the application.
        policies: content security policies by the beginning of a path; the longest one applies.
        frames: origins of pages that may embed these, besides their own; or `NOTEBOOK`.
    """

    def __init__(
        self, app: ASGIApp, policies: Mapping[str, str], frames: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._policies = sorted(policies.items(), key=lambda item: len(item[0]), reverse=True)
        origins = [NOTEBOOK_FRAMES if frame == NOTEBOOK else (frame,) for frame in sorted(frames)]
        self._ancestors = " ".join(["frame-ancestors 'self'", *chain(*origins)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and "websocket.http.response" in scope["extensions"]:
            await self._app(scope, receive, _with_headers_of_refusal(send))
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                policy = headers.get(POLICY) or self._policy(scope["path"])
                headers[POLICY] = f"{policy}; {self._ancestors}"
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _policy(self, path: str) -> str:
        return next(
            (policy for prefix, policy in self._policies if path.startswith(prefix)), DATA_POLICY
        )


def _with_headers_of_refusal(send: Send) -> Send:
    """Return `send` with the headers in the response to a WebSocket that is refused."""
    is_accepted = False

    async def send_refusal(message: Message) -> None:
        nonlocal is_accepted
        is_accepted = is_accepted or message["type"] == "websocket.accept"
        if message["type"] == "websocket.close" and not is_accepted:
            for part in REFUSED_SOCKET:
                await send(part)
        else:
            await send(message)

    return send_refusal
