"""Whether the parts of a configuration exist and fit together, and its defaults."""

import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from stnscope.backend.experiment.catalog import (
    ARCHITECTURES,
    PRESETS,
    Preset,
    default_epochs,
    steps_per_epoch,
    validate,
    with_defaults,
)
from stnscope.backend.experiment.config import RunConfig
from stnscope.backend.experiment.data.registry import DATASETS
from stnscope.backend.experiment.errors import InvalidInput


def test_defaults_fit_and_give_about_a_thousand_steps() -> None:
    config = RunConfig()
    validate(config, DATASETS[config.dataset])
    assert steps_per_epoch(config, DATASETS[config.dataset]) == 375
    assert 1000 <= config.epochs * steps_per_epoch(config, DATASETS[config.dataset]) <= 1200


def test_incomplete_batch_is_dropped() -> None:
    assert steps_per_epoch(RunConfig(batch_size=1000), DATASETS["digits"]) == 24
    assert steps_per_epoch(RunConfig(batch_size=1024), DATASETS["digits"]) == 23


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        ("architecture", {"architecture": "digit"}, "digits, digits-cnn"),
        ("family", {"family": "bent"}, "affine, attention"),
        ("distortion", {"distortion": {"name": "tossed"}}, "scattered, centred"),
        ("optimiser", {"optimiser": "lion"}, "adamw, adam, sgd, rmsprop"),
        ("schedule", {"schedule": "warm"}, "one_cycle, constant, steps"),
        ("precision", {"precision": "float8"}, "float32, bfloat16"),
        ("sampler.padding", {"sampler": {"padding": "void"}}, "zeros, border, background"),
        (
            "sampler.background",
            {"sampler": {"background": 0.5}},
            "required with the sampler.padding",
        ),
        ("sampler.background", {"sampler": {"padding": "background"}}, "from 0 to 1"),
    ],
)
def test_validate_refuses_unknown_names_by_field(
    field: str, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        validate(RunConfig(**change), DATASETS["digits"])
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
def test_default_epochs_are_those_that_a_network_needs(
    dataset: str, architecture: str, epochs: int
) -> None:
    config = RunConfig(dataset=dataset, architecture=architecture)
    assert with_defaults(config, DATASETS[dataset]).epochs == epochs
    config = RunConfig(dataset=dataset, architecture=architecture, epochs=2)
    assert with_defaults(config, DATASETS[dataset]).epochs == 2


def test_default_epochs_are_limited_for_few_images() -> None:
    few = dataclasses.replace(DATASETS["signs"], images=100, repeats=4)
    assert default_epochs(ARCHITECTURES["signs"], few) == 180
    assert default_epochs(ARCHITECTURES["signs"], dataclasses.replace(few, images=10)) == 1000


def test_default_rates_and_weight_decay_depend_on_the_optimiser() -> None:
    digits = DATASETS["digits"]
    assert with_defaults(RunConfig(), digits) == RunConfig(consistency=digits.consistency)
    config = with_defaults(RunConfig(optimiser="sgd", learning_rate=0.3), digits)
    assert (config.learning_rate, config.localisation_learning_rate) == (0.3, 0.01)
    assert config.weight_decay == 0
    assert with_defaults(RunConfig(optimiser="sgd", weight_decay=5e-4), digits).weight_decay == 5e-4
    addition = with_defaults(RunConfig(optimiser="sgd", dataset="addition"), DATASETS["addition"])
    assert (addition.learning_rate, addition.localisation_learning_rate) == (0.01, 0.003)


def test_consistency_loss_is_the_data_set_s_default_where_there_are_transformers() -> None:
    digits = DATASETS["digits"]
    assert digits.consistency > 0
    assert with_defaults(RunConfig(architecture="digits-cnn"), digits).consistency == 0
    assert with_defaults(RunConfig(consistency=0.0), digits).consistency == 0
    mnist = RunConfig(dataset="mnist")
    assert with_defaults(mnist, DATASETS["mnist"]).consistency == 0


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_presets_are_valid_and_their_runs_differ(preset: Preset) -> None:
    configs = [RunConfig.model_validate(run) for run in preset.runs]
    completed = [with_defaults(config, DATASETS[config.dataset]) for config in configs]
    for config in completed:
        validate(config, DATASETS[config.dataset])
    assert len(set(completed)) == len(completed) in (1, 2)


def test_networks_for_rows_have_lower_default_rates() -> None:
    """At twice this rate of the classifier the recurrent network's transformer collapses."""
    for name in ("recurrent", "feed-forward"):
        config = RunConfig(dataset="sequences", architecture=name)
        config = with_defaults(config, DATASETS["sequences"])
        assert (config.learning_rate, config.localisation_learning_rate) == (1e-3, 1e-3)


def test_distortion_names_may_be_joined_with_spaces() -> None:
    for name in ("RTS+occlusion", " RTS + occlusion "):
        config = RunConfig.model_validate({"distortion": name})
        validate(config, DATASETS[config.dataset])
        assert config.distortion.name == "RTS+occlusion"


def test_fields_missing_in_older_recordings_have_their_former_values() -> None:
    added = {"optimiser", "schedule", "weight_decay", "label_smoothing", "sampler"}
    added |= {"consistency", "ema_decay", "precision", "device", "channels_last", "threads"}
    config = RunConfig.model_validate_json(RunConfig().model_dump_json(exclude=added))
    assert config == RunConfig()
    assert (config.optimiser, config.schedule) == ("adamw", "one_cycle")
    assert (config.weight_decay, config.label_smoothing) == (1e-2, 0.1)
    assert (config.consistency, config.ema_decay, config.precision) == (0.0, 0.0, "float32")
    assert (config.device, config.channels_last, config.threads) == ("cpu", None, 1)
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
    validate(config, DATASETS[config.dataset])
    assert config.sampler.padding_value == padding


def test_network_without_transformers_accepts_any_family() -> None:
    validate(RunConfig(architecture="digits-cnn", family="attention"), DATASETS["digits"])


def test_batch_larger_than_an_epoch_is_refused() -> None:
    config = RunConfig().model_copy(update={"batch_size": 24_001})
    with pytest.raises(InvalidInput, match="24000 images") as caught:
        validate(config, DATASETS[config.dataset])
    assert caught.value.field == "batch_size"


def test_more_probes_than_held_out_images_are_refused() -> None:
    config = RunConfig()
    probes = config.probes.model_copy(update={"count": 298})
    with pytest.raises(InvalidInput, match="297") as caught:
        validate(config.model_copy(update={"probes": probes}), DATASETS["digits"])
    assert caught.value.field == "probes.count"


def test_tables_and_geometry_are_imported_without_torch() -> None:
    experiment = "stnscope.backend.experiment"
    names = f"{experiment}.catalog, {experiment}.frames.region_geometry, stnscope.models.cards"
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
