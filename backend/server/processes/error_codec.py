"""Errors of ours on their way from one process to another, as JSON."""

from collections.abc import Mapping
from typing import Any

from stnscope.backend.experiment import errors


def tell(error: errors.StnscopeError) -> dict[str, Any]:
    """An error as `{"error", "detail", "field"}`."""
    field = getattr(error, "field", None)
    return {"error": type(error).__name__, "detail": str(error), "field": field}


def told(message: Mapping[str, Any]) -> errors.StnscopeError:
    """The error that another process told of, as the class that it was there."""
    kind: type[errors.StnscopeError] = getattr(errors, message["error"])
    if issubclass(kind, errors.InvalidInput):
        return kind(message["detail"], message["field"])
    return kind(message["detail"])
