"""The token of a request: in a cookie, or as a Bearer."""

import hmac
from collections.abc import Mapping

from starlette.requests import cookie_parser

COOKIE = "stnscope_token"
TOKEN_VARIABLE = "STNSCOPE_TOKEN"
"""The environment variable that has a server's token; no child process has it."""


def is_same(candidate: str, token: str) -> bool:
    """Compare in constant time, which reveals nothing of the token."""
    return hmac.compare_digest(candidate.encode(errors="surrogatepass"), token.encode())


def is_presented(headers: Mapping[str, str], token: str) -> bool:
    """Whether a request's headers, with names in lower case, contain the token."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    bearer = value.strip() if scheme.lower() == "bearer" else ""
    # Other servers of this machine share its cookies, which may be of any form.
    cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    # Always compare both, so that the time does not reveal which of them is right.
    return is_same(bearer, token) | is_same(cookie, token)
