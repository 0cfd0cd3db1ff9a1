"""Access control for HTTP, WebSockets and the page alike.

Values are compared exactly, never by pattern; tokens in constant time. A WebSocket is refused
before it is accepted. What a request may do, view or act, is stored in its scope.
"""

from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stnscope.access.policy import Access
from stnscope.access.responses import problem, refusal_page, sign_in_page
from stnscope.access.rights import WEBSOCKET, Right, needed_right, set_right
from stnscope.access.token import COOKIE, VIEWER_COOKIE, is_same, presented_token

TOKEN_REQUIRED = "This server needs its token: open the link that it printed when it started."
ENTER_TOKEN = (
    "stnscope needs its token: the one that it was started with, or the one in the link that it "
    "printed."
)
WRONG_TOKEN = f"That is not the token. {ENTER_TOKEN}"

Query = list[tuple[str, str]]


class AccessControl:
    """ASGI middleware that passes a request on, or refuses it."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        response = self._response(scope)
        if response is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closing before accepting is a plain 403 to the client.
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "Refused."})
        else:
            await response(scope, receive, send)

    def _response(self, scope: Scope) -> Response | None:
        """Return the response in place of the application's; None to pass the request on."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if host.lower() not in self._access.hosts:
            return _refusal(
                scope,
                421,
                f"This server does not accept the host {host:.200}, only "
                f"{', '.join(sorted(self._access.hosts))}. Start it with "
                f"{self._access.host_option} to change that.",
            )
        if not self._is_allowed(origin):
            page = "without an origin" if origin is None else f"from {origin:.200}"
            return _refusal(
                scope,
                403,
                f"Pages {page} may not connect to this server. Start it with "
                "--allow-origin to allow them.",
            )
        return self._token_response(scope, headers)

    def _is_allowed(self, origin: str | None) -> bool:
        if origin is not None:
            return origin in self._access.origins
        # Browsers send an origin with every WebSocket and unsafe request; other clients need none.
        return self._access.loopback_only or self._access.token is not None

    def _token_response(self, scope: Scope, headers: Headers) -> Response | None:
        token, viewer_token = self._access.token, self._access.viewer_token
        if _is_preflight(scope, headers):
            set_right(scope, Right.ACT)
            return None
        if token is None:
            return self._right_response(scope, headers, Right.ACT)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        query_token = dict(query).get("token")
        if query_token is not None and _is_get(scope):
            for cookie, linked in ((COOKIE, token), (VIEWER_COOKIE, viewer_token)):
                if linked is not None and is_same(query_token, linked):
                    return _redirect_with_cookie(scope, query, cookie, linked)
        presented = presented_token(headers, token, viewer_token)
        if presented is None:
            return _token_refusal(scope, headers, query)
        right = Right.ACT if presented == token else Right.VIEW
        return self._right_response(scope, headers, right)

    def _right_response(self, scope: Scope, headers: Headers, right: Right) -> Response | None:
        """Forward a request with the right that its token grants, or refuse it."""
        right = Right.VIEW if self._access.view_only else right
        if right is Right.VIEW and needed_right(_method(scope), scope["path"]) is Right.ACT:
            return _readable(_refusal(scope, 403, self._access.refusal), headers)
        set_right(scope, right)
        return None


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and "access-control-request-method" in headers
    )


def _method(scope: Scope) -> str:
    return WEBSOCKET if scope["type"] == "websocket" else str(scope["method"])


def _is_get(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] in ("GET", "HEAD")


def _accepts_html(scope: Scope) -> bool:
    return _is_get(scope) and "text/html" in Headers(scope=scope).get("accept", "")


def _refusal(scope: Scope, status: int, detail: str) -> Response:
    return (refusal_page if _accepts_html(scope) else problem)(status, detail)


def _token_refusal(scope: Scope, headers: Headers, query: Query) -> Response:
    if _accepts_html(scope):
        is_cross_site = headers.get("sec-fetch-site") == "cross-site"
        text = WRONG_TOKEN if "token" in dict(query) else ENTER_TOKEN
        return sign_in_page(text, _without_token(query), retry=is_cross_site)
    refused = problem(401, TOKEN_REQUIRED)
    refused.headers["WWW-Authenticate"] = "Bearer"
    return _readable(refused, headers)


def _readable(refused: Response, headers: Headers) -> Response:
    """Let an allowed page of another origin read why its request was refused."""
    if origin := headers.get("origin"):
        refused.headers["Access-Control-Allow-Origin"] = origin
        refused.headers["Access-Control-Allow-Credentials"] = "true"
        refused.headers["Vary"] = "Origin"
    return refused


def _redirect_with_cookie(scope: Scope, query: Query, cookie: str, token: str) -> Response:
    """Set a token as a cookie, and redirect to the address without it."""
    remaining_query = urlencode(_without_token(query))
    # Relative, because a proxy may serve this below a path of its own.
    path = "./" + quote(scope["path"].rpartition("/")[2])
    response = RedirectResponse(path + (f"?{remaining_query}" if remaining_query else ""), 303)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    secure = scope["scheme"] == "https"
    response.set_cookie(cookie, token, httponly=True, samesite="strict", path="/", secure=secure)
    return response


def _without_token(query: Query) -> Query:
    return [(name, value) for name, value in query if name != "token"]
