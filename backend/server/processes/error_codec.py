"""Errors as JSON, for messages between processes."""

from collections.abc import Mapping
from typing import Any

from stnscope.backend.experiment import errors


def encode_error(error: errors.StnscopeError) -> dict[str, Any]:
    """Return an error as `{"error", "detail", "field"}`."""
    field = getattr(error, "field", None)
    return {"error": type(error).__name__, "detail": str(error), "field": field}


def decode_error(message: Mapping[str, Any]) -> errors.StnscopeError:
    """Return the error that another process encoded, as an instance of its class."""
    kind: type[errors.StnscopeError] = getattr(errors, message["error"])
    if issubclass(kind, errors.InvalidInput):
        return kind(message["detail"], message["field"])
    return kind(message["detail"])
