"""What is said on a stream: a union of JSON messages told apart by `type`."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput

FIRST_CREDIT = 2
MOST_CREDIT = 8


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Hello(_Message):
    """Opens a stream; metrics up to `last_step` are known to the client already."""

    type: Literal["hello"]
    last_step: int | None = None


class Follow(_Message):
    """Asks for the newest frame, whenever there is a newer one."""

    type: Literal["follow"]


class Hold(_Message):
    """Asks for no more frames; one may still be under way."""

    type: Literal["hold"]


class Credit(_Message):
    """Grants that many frames more, up to `MOST_CREDIT`; a page grants one after each paint."""

    type: Literal["credit"]
    frames: int = Field(default=1, ge=1)


class Transform(_Message):
    """Asks for a picture through a trained network, through regions that are given or its own.

    All but `picture`, the key of a frame that `POST /api/transform` answered with, is as there.
    """

    type: Literal["transform"]
    picture: str = Field(max_length=64)
    weights: str = Field(default="digits", max_length=64)
    distortion: dict[str, Any] | None = None
    theta: dict[str, Any] | None = None
    corners: dict[str, Any] | None = None
    request: int | None = Field(default=None, ge=0, le=2**53)
    """Repeated by the answer, a frame's `info` or an error."""


ClientMessage = Annotated[Hello | Follow | Hold | Credit, Field(discriminator="type")]

_CLIENT: TypeAdapter[Hello | Follow | Hold | Credit] = TypeAdapter(ClientMessage)
_PICTURE: TypeAdapter[Hello | Transform] = TypeAdapter(
    Annotated[Hello | Transform, Field(discriminator="type")]
)

M = TypeVar("M")


def read(text: str) -> Hello | Follow | Hold | Credit:
    """Reads a message of who watches a run.

    Raises:
        InvalidInput: it is none; the text says what is wrong and is fit to be sent back.
    """
    return _read(_CLIENT, text, (Hello, Follow, Hold, Credit))


def read_transform(text: str) -> Hello | Transform:
    """Reads a message of who has a picture shown.

    Raises:
        InvalidInput: as of `read`.
    """
    return _read(_PICTURE, text, (Hello, Transform))


def _read(kinds: TypeAdapter[M], text: str, known: tuple[type[_Message], ...]) -> M:
    try:
        return kinds.validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        kind, *place = found["loc"] or ("",)
        by_type = {model.__name__.lower(): model for model in known}
        *others, last = (f'"{name}"' for name in by_type)
        types = f"{', '.join(others)} or {last}"
        if kind in by_type:
            raise InvalidInput(
                format_error(found, place, by_type[str(kind)]), ".".join(map(str, place)) or None
            ) from None
        if found["type"] == "json_invalid":
            raise InvalidInput(f"This message is not JSON: {found['ctx']['error']}.") from None
        raise InvalidInput(f"A message is an object whose type is {types}.", "type") from None


def run_message(run: dict[str, Any]) -> dict[str, Any]:
    return {"type": "run", **run}


def metrics_message(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {"type": "metrics", **{k: v for k, v in columns.items() if k != "seq"}}


def error_message(detail: str, field: str | None = None) -> dict[str, Any]:
    return {"type": "error", "detail": detail, "field": field}
