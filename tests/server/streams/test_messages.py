"""The messages of the streams, and the errors for malformed ones."""

import json
from typing import Any

import pytest

from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.server.streams import messages


def test_each_message_type_is_parsed() -> None:
    assert messages.parse_run_message('{"type": "hello"}') == messages.Hello(type="hello")
    credit = messages.Credit(type="credit", frames=1)
    assert messages.parse_run_message('{"type": "credit"}') == credit
    transform = messages.parse_transform_message('{"type": "transform", "picture": "a"}')
    assert transform == messages.Transform(type="transform", picture="a")


@pytest.mark.parametrize(
    ("message", "field", "detail"),
    [
        ({"type": "credit", "frames": 0}, "frames", "frames must be at least 1, not 0."),
        (
            {"type": "credit", "frames": "2"},
            "frames",
            'frames must be a whole number, at least 1, not "2".',
        ),
        ({"type": "hello", "last_step": []}, "last_step", "must be a whole number, not a list."),
        ({"type": "wave"}, "type", 'whose type is "hello", "follow", "hold" or "credit".'),
        ({}, "type", "whose type is"),
        ([], "type", "A message is an object"),
        ("hello", "type", "A message is an object"),
    ],
)
def test_invalid_message_is_refused_in_plain_words(message: Any, field: str, detail: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        messages.parse_run_message(json.dumps(message))
    assert detail in str(refused.value)
    assert refused.value.field == field


def test_malformed_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not JSON") as refused:
        messages.parse_run_message("{")
    assert refused.value.field is None


def test_each_stream_accepts_only_its_own_message_types() -> None:
    with pytest.raises(InvalidInput, match='whose type is "hello" or "transform"'):
        messages.parse_transform_message('{"type": "follow"}')
    with pytest.raises(InvalidInput, match="picture is missing"):
        messages.parse_transform_message('{"type": "transform"}')
