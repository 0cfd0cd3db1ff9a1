"""The gate before everything: Host, Origin and token, the same for HTTP, WebSockets and the page.

Values are compared exactly, never by pattern; the token in constant time. A WebSocket that is
refused is refused before it is accepted.
"""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.server.problems import problem
from backend.server.settings import LOOPBACK, Settings

COOKIE = "stnscope_token"


class Gate:
    """ASGI middleware that lets a request through, or answers in its place."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting is a plain 403 to the client.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Refused."})
        else:
            await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host.lower() not in self._settings.hosts:
            return problem(
                421,
                f"This server does not answer as {host[:200]!r}. Start it with --allow-host to "
                "let it.",
            )
        origin = headers.get("origin")
        if not self._origin_is_welcome(scope, origin):
            return problem(
                403,
                f"Pages from {origin!r:.200} may not speak with this server. Start it with "
                "--allow-origin to let them.",
            )
        return self._token_refusal(scope, headers)

    def _origin_is_welcome(self, scope: Scope, origin: str | None) -> bool:
        if origin is not None:
            return origin.lower() in self._settings.origins
        # Browsers name an origin on every WebSocket and every unsafe request; others need none.
        return self._settings.host in LOOPBACK or self._settings.token is not None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._settings.token
        if token is None or _is_preflight(scope, headers):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if given is not None and scope["type"] == "http" and _same(given, token):
            return _signed_in(scope, query, token)
        presented = (_bearer(headers), _cookie(headers))
        if any(value is not None and _same(value, token) for value in presented):
            return None
        return problem(
            401, "This server needs its token: open the link that it printed when it started."
        )


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and "access-control-request-method" in headers
    )


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _bearer(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def _cookie(headers: Headers) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None


def _signed_in(scope: Scope, query: list[tuple[str, str]], token: str) -> Response:
    """Keeps the token in a cookie and goes on without it in the address."""
    rest = urlencode([(name, value) for name, value in query if name != "token"])
    response = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303)
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/")
    return response
