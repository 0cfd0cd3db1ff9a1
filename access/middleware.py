"""The gate before everything: the same for HTTP, WebSockets and the page.

Values are compared exactly, never by pattern; the token in constant time. A WebSocket that is
refused is refused before it is accepted.
"""

from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stnscope.access.policy import Access
from stnscope.access.responses import page, problem, sign_in_page
from stnscope.access.token import COOKIE, is_presented, is_same

NEEDS_TOKEN = "This server needs its token: open the link that it printed when it started."
ASKS_FOR_TOKEN = (
    "stnscope needs its token: the one that it was started with, or that is part of the link that "
    "it printed."
)
WRONG_TOKEN = f"That is not the token. {ASKS_FOR_TOKEN}"

Query = list[tuple[str, str]]


class AccessControl:
    """ASGI middleware that lets a request through, or answers in its place."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting is a plain 403 to the client.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Refused."})
        else:
            await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        """What is answered in place of the application, if anything."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host.lower() not in self._access.hosts:
            return _refusal(
                scope,
                421,
                f"This server does not answer as {host:.200}, but as "
                f"{', '.join(sorted(self._access.hosts))}. Start it with "
                f"{self._access.host_option} to change that.",
            )
        if not self._is_welcome(origin):
            named = "without an origin" if origin is None else f"from {origin:.200}"
            return _refusal(
                scope,
                403,
                f"Pages {named} may not speak with this server. Start it with "
                "--allow-origin to let them.",
            )
        return self._token_answer(scope, headers)

    def _is_welcome(self, origin: str | None) -> bool:
        if origin is not None:
            return origin in self._access.origins
        # Browsers name an origin on every WebSocket and every unsafe request; others need none.
        return self._access.here_only or self._access.token is not None

    def _token_answer(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._access.token
        if token is None or _is_preflight(scope, headers):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token")
        if given is not None and _is_visit(scope) and is_same(given, token):
            return _signed_in(scope, query, token)
        if is_presented(headers, token):
            return None
        return _token_refusal(scope, headers, query)


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and "access-control-request-method" in headers
    )


def _is_visit(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD")


def _is_read_by_people(scope: Scope) -> bool:
    return _is_visit(scope) and "text/html" in Headers(scope=scope).get("accept", "")


def _refusal(scope: Scope, status: int, detail: str) -> Response:
    answer = page if _is_read_by_people(scope) else problem
    return answer(status, detail)


def _token_refusal(scope: Scope, headers: Headers, query: Query) -> Response:
    if _is_read_by_people(scope):
        from_elsewhere = headers.get("sec-fetch-site") == "cross-site"
        sentence = WRONG_TOKEN if "token" in dict(query) else ASKS_FOR_TOKEN
        return sign_in_page(sentence, _without_token(query), try_again=from_elsewhere)
    refused = problem(401, NEEDS_TOKEN)
    refused.headers["WWW-Authenticate"] = "Bearer"
    if origin := headers.get("origin"):
        # A welcome page of another origin may read why it is refused.
        refused.headers["Access-Control-Allow-Origin"] = origin
        refused.headers["Access-Control-Allow-Credentials"] = "true"
        refused.headers["Vary"] = "Origin"
    return refused


def _signed_in(scope: Scope, query: Query, token: str) -> Response:
    """Keeps the token in a cookie and goes on without it in the address."""
    rest = urlencode(_without_token(query))
    # One slash: two would name another server.
    path = "/" + quote(scope["path"]).lstrip("/")
    response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    secure = scope["scheme"] == "https"
    response.set_cookie(COOKIE, token, httponly=True, samesite="strict", path="/", secure=secure)
    return response


def _without_token(query: Query) -> Query:
    return [(name, value) for name, value in query if name != "token"]
