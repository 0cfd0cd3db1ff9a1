"""Errors as problem details (RFC 9457): the one place where meaning becomes an HTTP status."""

import sqlite3
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from stnscope.access.responses import problem
from stnscope.backend.experiment import errors
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.frames.frame import FrameError
from stnscope.backend.experiment.recording.quota import FULL_DISK, is_full_disk

STATUSES: dict[type[Exception], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    FrameError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.InsufficientStorage: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

UNREADABLE = "There was an error parsing the body"
"""What FastAPI says of a body that is not what its type says."""


def install(app: FastAPI) -> None:
    """Answers every error of ours, of validation and of routing with problem details."""
    for kind, status in STATUSES.items():
        app.add_exception_handler(kind, _named(status))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (OSError, sqlite3.Error):
        app.add_exception_handler(kind, _system)
    app.add_exception_handler(Exception, _unexpected)


def _named(status: HTTPStatus) -> Any:
    async def answer(_: Request, error: Exception) -> JSONResponse:
        field = getattr(error, "field", None)
        return problem(status, str(error), **({"field": field} if field else {}))

    return answer


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [_fault(found, _model(request, found["loc"][0])) for found in error.errors()]
    return problem(422, errors=wrong, **wrong[0])


def _model(request: Request, part: str) -> type[BaseModel] | None:
    """What was expected in a request's `body` or `query`, where that is one model."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    for parameter in getattr(dependant, f"{part}_params", ()):
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _fault(found: dict[str, Any], model: type[BaseModel] | None) -> dict[str, str]:
    """One thing that is wrong, as a sentence, with its field where there is one."""
    if found["type"] == "json_invalid":
        # Its place is an offset in the text, not a field.
        return {"detail": f"The body is not JSON: {found['ctx']['error']}."}
    place = found["loc"][1:]
    field = ".".join(str(part) for part in place)
    detail = format_error(found, place, model)
    if "Expected UploadFile" in detail:
        detail = f"{field}: A file is expected here, not text."
    return {"field": field, "detail": detail} if field else {"detail": detail}


async def _system(_: Request, error: Exception) -> JSONResponse:
    """What the system refuses: a full disk is told as that, anything else is unexpected."""
    if is_full_disk(error):
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DISK)
    raise error


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "Something went wrong here; the server's log says what.")


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if is_full_disk(error.__cause__):  # a form that could not be put aside while it came in
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DISK)
    detail = str(error.detail)
    if detail == UNREADABLE:
        detail = "The body cannot be read: it is neither JSON, in UTF-8, nor a complete form."
    response = problem(error.status_code, detail)
    response.headers.update(error.headers or {})
    return response
