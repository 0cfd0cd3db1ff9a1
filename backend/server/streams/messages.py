"""The JSON messages of the streams: a union, discriminated by `type`."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import (
    MAX_JSON_BYTES,
    MAX_NAME_LENGTH,
    Count,
    PositiveCount,
)
from stnscope.backend.experiment.recording.quota import format_bytes

INITIAL_CREDIT = 2
MAX_CREDIT = 8


class _StreamMessage(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class Hello(_StreamMessage):
    """Opens a stream; the client has the metrics up to `last_step` already."""

    type: Literal["hello"]
    last_step: Count | None = Field(
        default=None, description="The last step whose metrics the client has."
    )


class Follow(_StreamMessage):
    """Requests the newest frame, whenever there is a newer one."""

    type: Literal["follow"]


class Hold(_StreamMessage):
    """Requests no more frames; one may still be in flight."""

    type: Literal["hold"]


class Credit(_StreamMessage):
    """Grants this many more frames, up to `MAX_CREDIT`; a page grants one after each paint."""

    type: Literal["credit"]
    frames: PositiveCount = Field(default=1, description="How many.")


class Transform(_StreamMessage):
    """Requests a picture transformed by a trained network, with given regions or its own.

    The fields are those of `POST /api/transform`, but for `picture`: the key of a frame that it
    returned.
    """

    type: Literal["transform"]
    picture: str = Field(max_length=64, description="The key of the picture.")
    weights: str = Field(
        default="digits", max_length=MAX_NAME_LENGTH, description="As in `POST /api/transform`."
    )
    distortion: dict[str, Any] | None = Field(default=None, description="As in a run.")
    theta: dict[str, Any] | None = Field(
        default=None, description="The parameters of transformers, by their names in a frame."
    )
    corners: dict[str, Any] | None = Field(
        default=None,
        description="The corners of transformers' regions, in pixels of the frame's input, by "
        "their names; in place of `theta`.",
    )
    variation: dict[str, Any] | None = Field(
        default=None, description="How the picture is changed first, in place of a distortion."
    )
    gradient: dict[str, Any] | None = Field(
        default=None,
        description='`{"class": k}` requests the gradient of that class\'s loss: tensors '
        "`gradient.theta.<t>` and `gradient.grid.<t>`.",
    )
    steps: dict[str, Any] | None = Field(
        default=None,
        description='`{"class": k, "count": n, "rate": r}` takes steps on theta along it: '
        "tensors `steps.theta.<t>`, `steps.corners.<t>`, `steps.loss` and `steps.probabilities`.",
    )
    maps: bool = Field(
        default=False,
        description="Requests the localisation networks' feature maps: tensors `maps.<t>.<i>`.",
    )
    request: Count | None = Field(
        default=None,
        description="Repeated by the response: in a frame's `info`, or in an error.",
    )


CLIENT_MESSAGES = (Hello, Follow, Hold, Credit, Transform)

RunMessage = Hello | Follow | Hold | Credit
TransformMessage = Hello | Transform

_RUN_MESSAGE: TypeAdapter[RunMessage] = TypeAdapter(
    Annotated[RunMessage, Field(discriminator="type")]
)
_TRANSFORM_MESSAGE: TypeAdapter[TransformMessage] = TypeAdapter(
    Annotated[TransformMessage, Field(discriminator="type")]
)

M = TypeVar("M")


def parse_run_message(text: str) -> RunMessage:
    """Parse a message of a client that watches a run.

    Raises:
        InvalidInput: it is malformed; the text can be sent to the client.
    """
    return _parse(_RUN_MESSAGE, text, (Hello, Follow, Hold, Credit))


def parse_transform_message(text: str) -> TransformMessage:
    """Parse a message of a client that has a picture transformed.

    Raises:
        InvalidInput: it is malformed; the text can be sent to the client.
    """
    return _parse(_TRANSFORM_MESSAGE, text, (Hello, Transform))


def _parse(adapter: TypeAdapter[M], text: str, models: tuple[type[_StreamMessage], ...]) -> M:
    if len(text) > MAX_JSON_BYTES:
        raise InvalidInput(f"This message is larger than {format_bytes(MAX_JSON_BYTES)}.")
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        kind, *location = fault["loc"] or ("",)
        by_type = {model.__name__.lower(): model for model in models}
        *others, last = (f'"{name}"' for name in by_type)
        types = f"{', '.join(others)} or {last}"
        if kind in by_type:
            detail = format_error(fault, location, by_type[str(kind)])
            raise InvalidInput(detail, ".".join(map(str, location)) or None) from None
        if fault["type"] == "json_invalid":
            raise InvalidInput(f"This message is not JSON: {fault['ctx']['error']}.") from None
        raise InvalidInput(f"A message is an object whose type is {types}.", "type") from None


def run_message(run: dict[str, Any]) -> dict[str, Any]:
    """Return a message with a run."""
    return {"type": "run", **run}


def metrics_message(columns: dict[str, Any]) -> dict[str, Any]:
    """Return a message with columns of metrics."""
    return {"type": "metrics", **{k: v for k, v in columns.items() if k != "seq"}}


def error_message(detail: str, field: str | None = None) -> dict[str, Any]:
    """Return a message with an error, and the field that is wrong."""
    return {"type": "error", "detail": detail, "field": field}
