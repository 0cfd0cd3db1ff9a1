"""Whether a configuration's parts exist and fit is told before anything is loaded."""

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    DATASETS,
    default_epochs,
    steps_per_epoch,
    validate,
    with_defaults,
)
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.errors import InvalidInput


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
        ("optimiser", {"optimiser": "lion"}, "adamw, adam, sgd, rmsprop"),
        ("schedule", {"schedule": "warm"}, "one_cycle, constant, steps"),
        ("sampler.padding", {"sampler": {"padding": "void"}}, "zeros, border, background"),
        ("sampler.background", {"sampler": {"background": 0.5}}, "goes with the sampler.padding"),
        ("sampler.background", {"sampler": {"padding": "background"}}, "from 0 to 1"),
    ],
)
def test_an_unknown_name_is_told_with_its_field(
    field: str, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        validate(RunConfig(**change))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("dataset", "architecture", "epochs"),
    [
        ("digits", "digits", 3),
        ("sequences", "recurrent", 10),
        ("mnist-sequences", "recurrent", 3),
        ("addition", "addition-2st", 20),
        ("mnist-addition", "addition-2st", 4),
    ],
)
def test_as_many_epochs_are_offered_as_a_network_needs(
    dataset: str, architecture: str, epochs: int
) -> None:
    config = RunConfig(dataset=dataset, architecture=architecture)
    assert with_defaults(config, DATASETS[dataset]).epochs == epochs
    given = RunConfig(dataset=dataset, architecture=architecture, epochs=2)
    assert with_defaults(given, DATASETS[dataset]).epochs == 2


def test_a_few_pictures_are_shown_often_and_never_more_than_can_be_asked_for() -> None:
    few = dataclasses.replace(DATASETS["signs"], images=100, repeats=4)
    assert default_epochs(ARCHITECTURES["signs"], few) == 180
    assert default_epochs(ARCHITECTURES["signs"], dataclasses.replace(few, images=10)) == 1000


def test_rates_and_weight_decay_are_as_suits_the_optimiser_unless_given() -> None:
    digits = DATASETS["digits"]
    assert with_defaults(RunConfig(), digits) == RunConfig()
    config = with_defaults(RunConfig(optimiser="sgd", learning_rate=0.3), digits)
    assert (config.learning_rate, config.localisation_learning_rate) == (0.3, 0.01)
    assert config.weight_decay == 0
    assert with_defaults(RunConfig(optimiser="sgd", weight_decay=5e-4), digits).weight_decay == 5e-4
    addition = with_defaults(RunConfig(optimiser="sgd", dataset="addition"), DATASETS["addition"])
    assert (addition.learning_rate, addition.localisation_learning_rate) == (0.01, 0.003)


def test_networks_for_rows_are_trained_more_gently() -> None:
    """At twice this rate of the classifier the recurrent one collapses before it has learnt."""
    for name in ("recurrent", "feed-forward"):
        config = RunConfig(dataset="sequences", architecture=name)
        config = with_defaults(config, DATASETS["sequences"])
        assert (config.learning_rate, config.localisation_learning_rate) == (1e-3, 1e-3)


def test_names_of_distortions_are_joined_with_or_without_spaces() -> None:
    for name in ("RTS+occlusion", " RTS + occlusion "):
        config = RunConfig.model_validate({"distortion": name})
        validate(config)
        assert config.distortion.name == "RTS+occlusion"


def test_what_an_older_recording_says_of_its_run_means_what_it_meant() -> None:
    new = {"optimiser", "schedule", "weight_decay", "label_smoothing", "sampler"}
    config = RunConfig.model_validate_json(RunConfig().model_dump_json(exclude=new))
    assert config == RunConfig()
    assert (config.optimiser, config.schedule) == ("adamw", "one_cycle")
    assert (config.weight_decay, config.label_smoothing) == (1e-2, 0.1)
    assert (config.sampler.padding_value, config.sampler.supersampling) == (None, None)


@pytest.mark.parametrize(
    ("sampler", "padding"),
    [
        ({"padding": "zeros"}, 0.0),
        ({"padding": "border"}, "border"),
        ({"padding": "background", "background": 1}, 1.0),
    ],
)
def test_padding_value(sampler: dict[str, Any], padding: float | str) -> None:
    config = RunConfig.model_validate({"sampler": sampler})
    validate(config)
    assert config.sampler.padding_value == padding


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
    experiment = "stnscope.backend.experiment"
    names = f"{experiment}.catalog, {experiment}.frames.region_geometry, stnscope.models.cards"
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
