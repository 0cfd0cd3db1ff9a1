"""Messages for values that pydantic rejects: which field, what is wrong, what is expected."""

import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stnscope.backend.experiment.limits import MAX_COUNT

OBJECT = "an object"
EXPECTED_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "string_unicode": "text in Unicode",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
}
"""What is expected, by pydantic's error type."""
BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
BOUND_ERRORS = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")
MAX_FAULTS = 10
"""Faults of one request that are named."""
MAX_VALUE_LENGTH = 40
"""Characters of a rejected value that a message repeats."""


def format_error(
    error: Mapping[str, Any], path: Iterable[str | int], model: type[BaseModel] | None = None
) -> str:
    """Return one of pydantic's errors as a sentence.

    Args:
        error: an item of pydantic's `errors()`.
        path: location of the rejected value, from the root.
        model: the model that was validated, if known; its fields and bounds are then named.
    """
    path = [_shorten(part) if isinstance(part, str) else part for part in path]
    field, kind = ".".join(str(part) for part in path), str(error["type"])
    value = _format_value(error.get("input"))
    if kind == "missing":
        return f"{field} is missing." if field else "The body is missing; an object is expected."
    if kind == "extra_forbidden":
        parent = _find_model(model, path[:-1])
        existing = f"; there are {', '.join(parent.model_fields)}" if parent else ""
        return f"There is no field {field}{existing}."
    if kind == "string_too_long":
        return f"{field} must have at most {error['ctx']['max_length']} characters."
    if kind == "string_too_short":
        return f"{field} must not be empty."
    if isinstance(error.get("input"), bytes):
        return "The body is not declared as JSON. Send it as application/json."
    if EXPECTED_TYPES.get(kind) == OBJECT and (expected_model := _find_model(model, path)):
        fields = ", ".join(expected_model.model_fields)
        return f"{field or 'The body'} must be {OBJECT} with any of {fields}, not {value}."
    info = _find_field(model, path)
    if kind == "string_pattern_mismatch" and info is not None:
        return f"{field} cannot be {value}. {info.description}"
    if expected := _describe_expected(error, info):
        return f"{field or 'The body'} must be {expected}, not {value}."
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{field}: {message}." if field else f"{message}."


def _describe_expected(error: Mapping[str, Any], info: FieldInfo | None) -> str:
    """Return what a value must be; empty if the error's type does not determine it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"])
    if kind not in EXPECTED_TYPES and kind not in BOUND_ERRORS:
        return ""
    bounds = {
        name: getattr(constraint, name)
        for constraint in (info.metadata if info else ())
        for name in BOUNDS
        if hasattr(constraint, name)
    } or {name: context[name] for name in BOUNDS if name in context}
    limits = " and ".join(
        BOUNDS[name].format(_format_bound(bound))
        for name, bound in bounds.items()
        # The bound of all counts is named only if it is exceeded.
        if bound != MAX_COUNT or kind == "less_than_equal"
    )
    return ", ".join(part for part in (EXPECTED_TYPES.get(kind, ""), limits) if part)


def _find_field(model: type[BaseModel] | None, path: list[str | int]) -> FieldInfo | None:
    """Return the field at a path in a model."""
    parent = _find_model(model, path[:-1]) if path else None
    return parent.model_fields.get(str(path[-1])) if parent else None


def _find_model(model: type[BaseModel] | None, path: list[str | int]) -> type[BaseModel] | None:
    """Return the nested model at a path in a model."""
    for part in path:
        field = model.model_fields.get(str(part)) if model else None
        model = _model_of(field.annotation) if field else None
    return model


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation, also if it is optional."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _format_bound(bound: float) -> str:
    """Return a bound, without a decimal point if it is a whole number."""
    return str(int(bound) if bound == int(bound) else bound)


def _format_value(value: Any) -> str:
    """Return a rejected value as JSON, shortened; containers and bytes are only named."""
    if isinstance(value, Mapping):
        return OBJECT
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str | int | float | bool | None):
        text = json.dumps(value, ensure_ascii=False)
        return _shorten(text)
    if isinstance(value, date | time):  # from TOML
        return "a date or time"
    return "a file"


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}..."
