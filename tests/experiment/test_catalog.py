"""Whether a configuration's parts exist and fit is told before anything is loaded."""

import subprocess
import sys
from typing import Any

import pytest

from backend.experiment.catalog import steps_per_epoch, validate
from backend.experiment.config import RunConfig
from backend.experiment.errors import InvalidInput


def test_the_defaults_fit_and_make_about_a_thousand_steps() -> None:
    config = RunConfig()
    validate(config)
    assert steps_per_epoch(config) == 375
    assert 1000 <= config.epochs * steps_per_epoch(config) <= 1200


def test_an_incomplete_batch_is_left_out() -> None:
    assert steps_per_epoch(RunConfig(batch_size=1000)) == 24
    assert steps_per_epoch(RunConfig(batch_size=1024)) == 23


@pytest.mark.parametrize(
    ("field", "change", "told"),
    [
        ("architecture", {"architecture": "digit"}, "digits, digits-cnn"),
        ("dataset", {"dataset": "mnists"}, "there are digits"),
        ("family", {"family": "bent"}, "affine, attention"),
        ("distortion", {"distortion": {"name": "tossed"}}, "scattered, centred"),
    ],
)
def test_an_unknown_name_is_told_with_its_field(
    field: str, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        validate(RunConfig(**change))
    assert caught.value.field == field


def test_a_network_without_transformers_takes_any_family() -> None:
    validate(RunConfig(architecture="digits-cnn", family="attention"))


def test_a_batch_that_no_epoch_fills_is_refused() -> None:
    config = RunConfig().model_copy(update={"batch_size": 24_001})
    with pytest.raises(InvalidInput, match="24000 images") as caught:
        validate(config)
    assert caught.value.field == "batch_size"


def test_more_probes_than_held_out_images_are_refused() -> None:
    config = RunConfig()
    probes = config.probes.model_copy(update={"count": 298})
    with pytest.raises(InvalidInput, match="297") as caught:
        validate(config.model_copy(update={"probes": probes}))
    assert caught.value.field == "probes.count"


def test_tables_and_geometry_are_read_without_torch() -> None:
    names = "backend.experiment.catalog, backend.experiment.geometry, models.cards"
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
