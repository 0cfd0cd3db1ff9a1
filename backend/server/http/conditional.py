"""Responses that are sent only if they differ from what the client has (RFC 9110, section 13)."""

from hashlib import blake2b
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def conditional_json(request: Request, content: Any) -> Response:
    """Return content as JSON with an entity tag; status 304 without a body if the client has it."""
    response = JSONResponse(content)
    etag = f'"{blake2b(response.body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    known = request.headers.get("if-none-match", "")
    if etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
