"""What is said on a stream: a union of JSON messages told apart by `type`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

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


ClientMessage = Annotated[Hello | Follow | Hold | Credit, Field(discriminator="type")]

_CLIENT: TypeAdapter[Hello | Follow | Hold | Credit] = TypeAdapter(ClientMessage)


def read(text: str) -> Hello | Follow | Hold | Credit:
    """Reads a client's message.

    Raises:
        ValueError: it is none; the text says what is wrong and is fit to be sent back.
    """
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(
            f"This message cannot be read: {first['msg']}{f' (at {place})' if place else ''}. "
            "Known are hello, follow, hold and credit."
        ) from None


def run_message(run: dict[str, Any]) -> dict[str, Any]:
    return {"type": "run", **run}


def metrics_message(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {"type": "metrics", **{k: v for k, v in columns.items() if k != "seq"}}


def error_message(detail: str) -> dict[str, Any]:
    return {"type": "error", "detail": detail}
