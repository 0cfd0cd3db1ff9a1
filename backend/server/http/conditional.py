"""Large JSON: compressed, and sent only if it differs from what the client has (RFC 9110)."""

import gzip
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Self

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

MIN_COMPRESSED_BYTES = 4_000
"""Smaller bodies are sent as they are: they fit into a few packets."""
COMPRESSION_LEVEL = 1
"""The fastest level; others hardly compress numbers better."""


@dataclass(frozen=True)
class JsonBody:
    """Content as JSON, and its entity tag."""

    plain: bytes
    compressed: bytes | None
    """Content compressed with gzip; None if it is small."""
    etag: str
    """Weak, since the same tag is for both forms."""

    @classmethod
    def encode(cls, content: Any) -> Self:
        """Encode content; numbers that JSON lacks become null. Coroutines call this in a thread."""
        plain = to_json(content, inf_nan_mode="null")
        is_large = len(plain) >= MIN_COMPRESSED_BYTES
        return cls(
            plain,
            gzip.compress(plain, COMPRESSION_LEVEL, mtime=0) if is_large else None,
            f'W/"{blake2b(plain, digest_size=12).hexdigest()}"',
        )

    def respond(self, request: Request, headers: dict[str, str] | None = None) -> Response:
        """Return the response to a request: status 304 without a body if the client has it.

        Args:
            request: the request; its headers `If-None-Match` and `Accept-Encoding` count.
            headers: further headers of the response.
        """
        headers = {"ETag": self.etag, "Cache-Control": "no-cache", **(headers or {})}
        headers["Vary"] = "Accept-Encoding"
        known = (tag.strip() for tag in request.headers.get("if-none-match", "").split(","))
        if self.etag.removeprefix("W/") in (tag.removeprefix("W/") for tag in known):
            return Response(status_code=304, headers=headers)
        body = self.plain
        if self.compressed is not None and _accepts_gzip(request):
            body = self.compressed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type="application/json", headers=headers)


def _accepts_gzip(request: Request) -> bool:
    codings = request.headers.get("accept-encoding", "").lower().split(",")
    names = [coding.replace(" ", "") for coding in codings]
    return any(name in ("gzip", "*") or _is_weighted_gzip(name) for name in names)


def _is_weighted_gzip(coding: str) -> bool:
    name, _, weight = coding.partition(";q=")
    return name == "gzip" and weight.strip("0.") != ""


def next_link(request: Request, **query: object) -> dict[str, str]:
    """Return the header `Link` (RFC 8288) of a page that others follow; {} if a value is None.

    Args:
        request: for the page.
        query: what differs in the address of the next page.
    """
    if None in query.values():
        return {}
    url = request.url.include_query_params(**query)
    # Relative: behind a proxy, the client's address of the server differs.
    return {"Link": f'<{url.path.rpartition("/")[2]}?{url.query}>; rel="next"'}
