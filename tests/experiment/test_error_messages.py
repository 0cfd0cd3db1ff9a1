"""A rejected value's message names its field, what is wrong and what is expected."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from stnscope.backend.experiment.config import RunConfig, SettingsChange
from stnscope.backend.experiment.error_messages import format_error
from stnscope.backend.experiment.export.options import ExportOptions

FIELDS = ", ".join(RunConfig.model_fields)


def message_for(model: type[BaseModel], value: Any) -> str:
    """Return the message for the first error of a value."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    first = caught.value.errors()[0]
    return format_error(first, first["loc"], model)


EPOCHS = "epochs must be a whole number, at least 1 and at most 1000, not"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"epochs": "3"}, f'{EPOCHS} "3".'),
        ({"epochs": None}, f"{EPOCHS} null."),
        ({"epochs": 2.5}, f"{EPOCHS} 2.5."),
        ({"epochs": True}, f"{EPOCHS} true."),
        ({"epochs": [1, 2]}, f"{EPOCHS} a list."),
        ({"epochs": {"a": [{}]}}, f"{EPOCHS} an object."),
        ({"epochs": 0}, "epochs must be at least 1 and at most 1000, not 0."),
        (
            {"learning_rate": "fast"},
            'learning_rate must be a number, above 0 and at most 1, not "fast".',
        ),
        (
            {"learning_rate": float("nan")},
            "learning_rate must be a finite number, above 0 and at most 1, not NaN.",
        ),
        ({"dataset": 3}, "dataset must be text, not 3."),
        ({"dataset": "x" * 65}, "dataset must have at most 64 characters."),
        ({"seed": "x" * 90}, f'at most 2147483647, not "{"x" * 39}....'),
        (
            {"distortion": []},
            "distortion must be an object with any of name, strength, not a list.",
        ),
        ({"distortion": {"nme": 1}}, "There is no field distortion.nme; there are name, strength."),
        (
            {"probes": {"moving": "yes"}},
            "probes.moving must be true, false or 'tracks', not \"yes\".",
        ),
        ({"epoch": 3}, f"There is no field epoch; there are {FIELDS}."),
        ([], f"The body must be an object with any of {FIELDS}, not a list."),
    ],
)
def test_format_error_names_the_fields_of_a_configuration(value: Any, message: str) -> None:
    assert message_for(RunConfig, value).endswith(message)
    assert "Input" not in message_for(RunConfig, value)


def test_format_error_of_optional_and_literal_fields() -> None:
    message = message_for(SettingsChange, {"slow_motion": 99})
    assert message == "slow_motion must be at least 0 and at most 10, not 99."
    message = message_for(ExportOptions, {"format": "avi"})
    assert message.startswith("format must be 'gif', 'webp'")
    assert message.endswith('not "avi".')
    assert message_for(ExportOptions, {"probes": "a"}).startswith(
        'probes cannot be "a". Indices of probes'
    )


def test_format_error_without_a_model() -> None:
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate_json(json.dumps({"epochs": 0, "epoch": 1, "probes": 3}))
    messages = [format_error(error, error["loc"]) for error in caught.value.errors()]
    assert messages == [
        "epochs must be at least 1, not 0.",
        "probes must be an object, not 3.",
        "There is no field epoch.",
    ]
