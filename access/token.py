"""The tokens of a request: in cookies, or as a Bearer."""

import hmac
from collections.abc import Mapping

from starlette.requests import cookie_parser

COOKIE = "stnscope_token"
VIEWER_COOKIE = "stnscope_viewer_token"
"""Each token has a cookie of its own: a link for viewing takes no one's right to act."""
TOKEN_VARIABLE = "STNSCOPE_TOKEN"
VIEWER_TOKEN_VARIABLE = "STNSCOPE_VIEWER_TOKEN"
TOKEN_VARIABLES = frozenset({TOKEN_VARIABLE, VIEWER_TOKEN_VARIABLE})
"""The environment variables that have a server's tokens; no child process has them."""


def is_same(candidate: str, token: str) -> bool:
    """Compare in constant time, which reveals nothing of the token."""
    return hmac.compare_digest(candidate.encode(errors="surrogatepass"), token.encode())


def presented_token(
    headers: Mapping[str, str], token: str, viewer_token: str | None = None
) -> str | None:
    """Return the token that a request's headers, with names in lower case, contain.

    Args:
        headers: the request's.
        token: the one that may act; returned if both are there.
        viewer_token: the one for viewing.
    """
    is_acting = _is_presented(headers, COOKIE, token)
    is_viewing = viewer_token is not None and _is_presented(headers, VIEWER_COOKIE, viewer_token)
    return token if is_acting else viewer_token if is_viewing else None


def _is_presented(headers: Mapping[str, str], cookie_name: str, token: str) -> bool:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    bearer = value.strip() if scheme.lower() == "bearer" else ""
    # Other servers of this machine share its cookies, which may be of any form.
    cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name, "")
    # Always compare both, so that the time does not reveal which of them is right.
    return is_same(bearer, token) | is_same(cookie, token)
