"""The token as a request presents it: in a cookie, or as a Bearer."""

import hmac
from collections.abc import Mapping

from starlette.requests import cookie_parser

COOKIE = "stnscope_token"


def is_same(given: str, token: str) -> bool:
    """Compares in a time that tells nothing of the token."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), token.encode())


def is_presented(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request's headers, looked up in lower case, carry the token."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    bearer = value.strip() if scheme.lower() == "bearer" else ""
    # Other servers of this machine share its cookies; theirs may be written in any way.
    cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    # Both, always: which of them is right is nobody's to measure.
    return is_same(bearer, token) | is_same(cookie, token)
