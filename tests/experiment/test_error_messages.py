"""What is wrong with a value is told with its field and what would be right."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from stnscope.backend.experiment.config import RunConfig, SettingsChange
from stnscope.backend.experiment.error_messages import sentence
from stnscope.backend.experiment.export.export import ExportOptions

FIELDS = ", ".join(RunConfig.model_fields)


def told(model: type[BaseModel], value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    first = caught.value.errors()[0]
    return sentence(first, first["loc"], model)


EPOCHS = "epochs must be a whole number, at least 1 and at most 1000, not"


@pytest.mark.parametrize(
    ("value", "said"),
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
        ({"dataset": "x" * 65}, "dataset has more than 64 letters, which is the most."),
        ({"seed": "x" * 90}, f'at most 2147483647, not "{"x" * 39}....'),
        (
            {"distortion": []},
            "distortion must be an object with any of name, strength, not a list.",
        ),
        ({"distortion": {"nme": 1}}, "There is no field distortion.nme; there are name, strength."),
        ({"probes": {"moving": "yes"}}, 'probes.moving must be true or false, not "yes".'),
        ({"epoch": 3}, f"There is no field epoch; there are {FIELDS}."),
        ([], f"The body must be an object with any of {FIELDS}, not a list."),
    ],
)
def test_a_configuration(value: Any, said: str) -> None:
    assert told(RunConfig, value).endswith(said)
    assert "Input" not in told(RunConfig, value)


def test_what_lies_beside_null_and_what_is_one_of_a_few() -> None:
    said = told(SettingsChange, {"slow_motion": 99})
    assert said == "slow_motion must be at least 0 and at most 10, not 99."
    assert told(ExportOptions, {"format": "avi"}) == "format must be 'gif', not \"avi\"."
    assert told(ExportOptions, {"probes": "a"}).startswith('probes cannot be "a". Which probes')


def test_without_its_model_a_fault_is_told_as_far_as_it_is_known() -> None:
    with pytest.raises(ValidationError) as caught:
        RunConfig.model_validate_json(json.dumps({"epochs": 0, "epoch": 1, "probes": 3}))
    said = [sentence(each, each["loc"]) for each in caught.value.errors()]
    assert said == [
        "epochs must be at least 1, not 0.",
        "probes must be an object, not 3.",
        "There is no field epoch.",
    ]
