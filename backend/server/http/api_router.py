"""The routes of the interface: HEAD beside GET, and large JSON bodies validated in a thread."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from stnscope.backend.experiment.error_messages import MAX_FAULTS

SMALL_BODY_BYTES = 4_000
"""A body up to this size is validated within a fraction of a millisecond."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """A route whose JSON body, if it is not small, is validated in a thread first.

    A valid body is small: FastAPI, which validates in the event loop, receives no other.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        model = self.body_field.field_info.annotation if self.body_field else None
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return handle
        adapter = TypeAdapter[BaseModel](model)

        async def handle_validated(request: Request) -> Response:
            body = await request.body()
            if len(body) > SMALL_BODY_BYTES:
                await run_in_threadpool(_validate, body, adapter)
            return await handle(request)

        return handle_validated


class ApiRouter(APIRouter):
    """A router of such routes; each that responds to GET has one for HEAD beside it."""

    def __init__(self) -> None:
        super().__init__(route_class=ApiRoute)

    def add_api_route(self, *arguments: Any, **options: Any) -> None:
        super().add_api_route(*arguments, **options)
        if options.get("methods") == ["GET"]:
            # The server itself leaves out the body of a response to HEAD.
            head = options | {"methods": ["HEAD"], "include_in_schema": False}
            super().add_api_route(*arguments, **head)


def _validate(body: bytes, adapter: TypeAdapter[BaseModel]) -> None:
    """Raise RequestValidationError, with the first few faults, if a body is JSON but not valid."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return  # FastAPI finds the same, as quickly
    try:
        adapter.validate_python(content)
    except ValidationError as error:
        faults = error.errors(include_url=False)[:MAX_FAULTS]
        raise RequestValidationError(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in faults]
        ) from None
