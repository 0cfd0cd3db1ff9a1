"""What is wrong with values that come from outside, in plain words, from what pydantic finds."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

OBJECT = "an object"
NOUNS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
}
"""What is expected, by what pydantic calls the fault."""
BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
OUT_OF_BOUNDS = ("greater_than_equal", "greater_than", "less_than_equal", "less_than")
LONGEST = 40
"""Letters of a wrong value that are repeated."""


def sentence(
    found: Mapping[str, Any], place: Iterable[str | int], model: type[BaseModel] | None = None
) -> str:
    """One fault as a sentence: the field, what is wrong, and what would be right.

    Args:
        found: an item of pydantic's `errors()`.
        place: where in the value it is, from its root.
        model: what the value should have been, where that is known; names its fields and bounds.
    """
    path = list(place)
    field, kind = ".".join(str(part) for part in path), str(found["type"])
    shown = _shown(found.get("input"))
    if kind == "missing":
        return f"{field} is missing." if field else "The body is missing; an object is expected."
    if kind == "extra_forbidden":
        within = _inside(model, path[:-1])
        there = f"; there are {', '.join(within.model_fields)}" if within else ""
        return f"There is no field {field}{there}."
    if kind == "string_too_long":
        return f"{field} has more than {found['ctx']['max_length']} letters, which is the most."
    about = _field(model, path)
    if isinstance(found.get("input"), bytes):
        return "The body is not said to be JSON. Send it as application/json."
    if NOUNS.get(kind) == OBJECT and (within := _inside(model, path)):
        fields = ", ".join(within.model_fields)
        return f"{field or 'The body'} must be {OBJECT} with any of {fields}, not {shown}."
    if kind == "string_pattern_mismatch" and about is not None:
        return f"{field} cannot be {shown}. {about.description}"
    wanted = _wanted(found, about)
    if wanted:
        return f"{field or 'The body'} must be {wanted}, not {shown}."
    said = str(found["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{field}: {said}." if field else f"{said}."


def _wanted(found: Mapping[str, Any], about: FieldInfo | None) -> str:
    """What a value must be; empty where that is not told by its kind."""
    kind, told = found["type"], found.get("ctx", {})
    if kind == "literal_error":
        return str(told["expected"])
    if kind not in NOUNS and kind not in OUT_OF_BOUNDS:
        return ""
    bounds = {
        name: getattr(each, name)
        for each in (about.metadata if about else ())
        for name in BOUNDS
        if hasattr(each, name)
    } or {name: told[name] for name in BOUNDS if name in told}
    limits = " and ".join(BOUNDS[name].format(_plain(bound)) for name, bound in bounds.items())
    return ", ".join(part for part in (NOUNS.get(kind, ""), limits) if part)


def _field(model: type[BaseModel] | None, path: list[str | int]) -> FieldInfo | None:
    """The field at a place in a model."""
    within = _inside(model, path[:-1]) if path else None
    return within.model_fields.get(str(path[-1])) if within else None


def _inside(model: type[BaseModel] | None, path: list[str | int]) -> type[BaseModel] | None:
    """The model at a place in another one."""
    for part in path:
        field = model.model_fields.get(str(part)) if model else None
        model = _model(field.annotation) if field else None
    return model


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or has beside None."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _plain(bound: float) -> str:
    """A bound without a point where it needs none."""
    return str(int(bound) if bound == int(bound) else bound)


def _shown(value: Any) -> str:
    """A wrong value as it was sent, cut short; what is large is only named."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str | int | float | bool | None):
        said = json.dumps(value, ensure_ascii=False)
        return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
    return "a file"
