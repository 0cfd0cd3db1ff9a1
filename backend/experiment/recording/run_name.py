"""The name that a user gives to a run; without one, it is named after its configuration."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from stnscope.backend.experiment.limits import MAX_NAME_LENGTH


def _check_printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("a name has no line breaks and no control characters")
    return name


RunName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_check_printable),
]
