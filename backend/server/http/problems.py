"""Errors as problem details (RFC 9457): the one place that maps them to HTTP statuses."""

import logging
import sqlite3
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from stnscope.access.responses import problem
from stnscope.backend.experiment import errors
from stnscope.backend.experiment.error_messages import MAX_FAULTS, format_error
from stnscope.backend.experiment.frames.frame import FrameError
from stnscope.backend.experiment.os_errors import FULL_DISK, translate_os_error
from stnscope.backend.experiment.recording.quota import is_full_disk

log = logging.getLogger(__name__)

HTTP_STATUSES: dict[type[Exception], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RecordingDenied: HTTPStatus.FORBIDDEN,
    errors.RecordingUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.AccessDenied: HTTPStatus.FORBIDDEN,
    FrameError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.InsufficientStorage: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.NotInstalled: HTTPStatus.NOT_IMPLEMENTED,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TrainerTimeout: HTTPStatus.GATEWAY_TIMEOUT,
}

LOCKED = "Another program locks this recording. Try again in a moment."

MAX_FIELD_LENGTH = 200
"""Characters of a field's path that a problem repeats."""

UNREADABLE = "There was an error parsing the body"
"""FastAPI's text for a body that does not match its content type."""


def status_of(error: Exception) -> HTTPStatus:
    """Return the HTTP status of an error: that of its class, or of the nearest one above it."""
    kinds = (kind for kind in type(error).__mro__ if kind in HTTP_STATUSES)
    return next((HTTP_STATUSES[kind] for kind in kinds), HTTPStatus.INTERNAL_SERVER_ERROR)


def install(app: FastAPI) -> None:
    """Respond with problem details to errors of ours, of validation and of routing."""
    for kind, status in HTTP_STATUSES.items():
        app.add_exception_handler(kind, _handler(status))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _disconnected)
    for kind in (OSError, sqlite3.Error):
        app.add_exception_handler(kind, _system)
    app.add_exception_handler(Exception, _unexpected)


def _handler(status: HTTPStatus) -> Any:
    async def handle(_: Request, error: Exception) -> JSONResponse:
        field = getattr(error, "field", None)
        return problem(status, str(error), **({"field": field} if field else {}))

    return handle


async def _disconnected(_: Request, error: Exception) -> Response:
    """Respond to a client that has disconnected: no error, and not received."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [
        _fault(fault, _model(request, fault["loc"][0])) for fault in error.errors()[:MAX_FAULTS]
    ]
    return problem(422, errors=faults, **faults[0])


def _model(request: Request, part: str) -> type[BaseModel] | None:
    """Return the model of a request's `body` or `query`, if it has one."""
    dependant = getattr(request.scope.get("route"), "dependant", None)
    for parameter in getattr(dependant, f"{part}_params", ()):
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _fault(fault: dict[str, Any], model: type[BaseModel] | None) -> dict[str, str]:
    """Return one thing that is wrong as a sentence, with its field if it has one."""
    if fault["type"] == "json_invalid":
        # Its location is an offset in the text, not a field.
        return {"detail": f"The body is not JSON: {fault['ctx']['error']}."}
    location = fault["loc"][1:]
    field = ".".join(str(part) for part in location)[:MAX_FIELD_LENGTH]
    detail = format_error(fault, location, model)
    if "Expected UploadFile" in detail:
        detail = f"{field}: A file is expected here, not text."
    return {"field": field, "detail": detail} if field else {"detail": detail}


async def _system(_: Request, error: Exception) -> JSONResponse:
    """Respond to errors of the operating system and of SQLite."""
    if is_full_disk(error):
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DISK)
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, LOCKED)
    if isinstance(error, OSError) and error.errno is not None:
        log.info("%s", error)
        translated = translate_os_error(error)
        return problem(status_of(translated), str(translated))
    raise error


async def _unexpected(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "Something went wrong; the server's log has the details.")


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if is_full_disk(error.__cause__):  # a form that could not be stored while it was received
        return problem(HTTPStatus.INSUFFICIENT_STORAGE, FULL_DISK)
    detail = str(error.detail)
    if detail == UNREADABLE:
        detail = "The body cannot be read: it is neither JSON, in UTF-8, nor a complete form."
    response = problem(error.status_code, detail)
    response.headers.update(error.headers or {})
    return response
