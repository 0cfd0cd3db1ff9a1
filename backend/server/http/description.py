"""The description of the interface, `/openapi.json`: each status of a route, and its shape.

A route names its response and its own errors (`responses`); those that any route may give are added
here, as is the right that a route needs (`x-right`). All errors are problem details.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from stnscope.access.responses import PROBLEM_TYPE
from stnscope.access.rights import needed_right

REF = "#/components/schemas/{model}"
PROBLEM = {"content": {PROBLEM_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}}}

ERRORS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "The token is missing or wrong.",
    403: "The origin is not allowed, or the token is for viewing only.",
    404: "There is no such address, run, data set, export, result or weights.",
    408: "The body was not received in time.",
    409: "The run's status does not allow it; `detail` states which one does.",
    413: "The body is larger than its limit.",
    421: "The host is not allowed.",
    422: "A value is invalid; `field` names it.",
    500: "The server failed; its log has the reason.",
    501: "A package that this needs is not installed; `detail` has the command.",
    503: "Temporarily not possible; try again in a moment.",
    504: "The trainer did not apply the request in time; it may still do so.",
    507: "There is no space on the disk, or within the limit on all recordings.",
}
EVERYWHERE = (401, 403, 421, 500, 503)
"""Errors that any route may give."""
WITH_BODY = (400, 408, 413)
"""Errors of any route with a body."""


def responses(shape: Any, *errors: int, status: int = 200) -> dict[str, Any]:
    """Return a route's options: the shape of its response, its status, and its own errors.

    Args:
        shape: a model, a list of it, what `file_of` returns, or None for a response without a body.
        errors: statuses besides those that any route may give.
        status: of the response.
    """
    responses: dict[int, dict[str, Any]] = {error: {} for error in errors}
    if shape is not None:
        responses[status] = shape if isinstance(shape, dict) else {"model": shape}
    return {"status_code": status, "responses": responses}


def file_of(*media_types: str) -> dict[str, Any]:
    """Return the shape of a response that is a file, for `responses`."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"content": dict.fromkeys(media_types, binary)}


def install(app: FastAPI, models: Iterable[type[BaseModel]]) -> None:
    """Have the application serve its complete description.

    Args:
        app: the application, with all its routes.
        models: shapes that no route names: of problems, and of the messages of streams.
    """
    build = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        return _complete(build(), models)

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(description: dict[str, Any], models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=REF
    )
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas |= definitions["$defs"]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            operation["x-right"] = needed_right(method.upper(), path)
            _complete_operation(operation)
    return description


def _complete_operation(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for response in responses.values():
        for content in response.get("content", {}).values():
            content["schema"] = _plain_reference(content.get("schema", {}))
    errors = {int(status) for status in responses if int(status) >= 400} | {*EVERYWHERE}
    if "requestBody" in operation:
        errors |= {*WITH_BODY}
    if "requestBody" in operation or operation.get("parameters"):
        errors.add(422)
    for status in sorted(errors):
        responses[str(status)] = {"description": ERRORS[status], **PROBLEM}


def _plain_reference(schema: Any) -> Any:
    """Return a schema without what FastAPI adds beside a reference from the return annotation."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return {"$ref": schema["$ref"]}
        return {name: _plain_reference(value) for name, value in schema.items()}
    return schema
