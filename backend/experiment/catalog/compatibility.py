"""Which networks, data sets and settings go together, and what a configuration leaves open."""

import math
from collections.abc import Mapping
from typing import TypeVar

from stnscope.backend.experiment.catalog.datasets import DATASETS, DatasetEntry
from stnscope.backend.experiment.catalog.distortions import DISTORTIONS
from stnscope.backend.experiment.catalog.training import (
    OPTIMISERS,
    PADDINGS,
    SCHEDULES,
)
from stnscope.backend.experiment.config import DistortionConfig, RunConfig, SamplerConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import MAX_EPOCHS
from stnscope.models.catalog import ARCHITECTURES, FAMILIES, Architecture

Entry = TypeVar("Entry")

MIN_DEFAULT_EPOCHS = 3
"""Fewest epochs that are proposed for a run."""


def with_defaults(config: RunConfig, dataset: DatasetEntry) -> RunConfig:
    """A configuration in which what was left open is as it is offered first for the data set."""
    given = config.model_fields_set
    fields: dict[str, object] = {}
    if "architecture" not in given:
        fields["architecture"] = dataset.architecture
    if "distortion" not in given:
        fields["distortion"] = DistortionConfig(name=dataset.distortion, strength=dataset.strength)
    architecture = ARCHITECTURES.get(str(fields.get("architecture", config.architecture)))
    optimiser = OPTIMISERS.get(config.optimiser)
    if architecture is None or optimiser is None:  # which `validate` tells
        return config.model_copy(update=fields)
    fields |= {
        "epochs": default_epochs(architecture, dataset),
        "weight_decay": optimiser.weight_decay,
    }
    for rate in ("learning_rate", "localisation_learning_rate"):
        fields[rate] = round(getattr(architecture, rate) * optimiser.rates, 12)
    fields = {name: value for name, value in fields.items() if name not in given}
    return config.model_copy(update=fields)


def default_epochs(architecture: Architecture, dataset: DatasetEntry) -> int:
    """Epochs of a run that is offered first: as many as the network needs to be seen to learn."""
    shown = max(1, dataset.images * dataset.repeats)
    return min(max(MIN_DEFAULT_EPOCHS, math.ceil(architecture.needs_images / shown)), MAX_EPOCHS)


def validate(config: RunConfig, dataset: DatasetEntry | None = None) -> None:
    """Sees that a configuration's parts exist and fit one another.

    Args:
        config: of a run.
        dataset: its data set as it is at hand; as the table has it unless given.

    Raises:
        InvalidInput: they do not; names the field and what would be right.
    """
    dataset = dataset or _known("dataset", config.dataset, DATASETS)
    architecture = _known("architecture", config.architecture, ARCHITECTURES)
    _known("family", config.family, FAMILIES)
    check_distortion(config.distortion.name)
    _known("optimiser", config.optimiser, OPTIMISERS)
    _known("schedule", config.schedule, SCHEDULES)
    _check_sampler(config.sampler)
    if architecture.families and config.family not in architecture.families:
        raise InvalidInput(
            f"{architecture.title} is built with {' or '.join(architecture.families)}.", "family"
        )
    _check_fit(config, architecture, dataset)


def steps_per_epoch(config: RunConfig, dataset: DatasetEntry | None = None) -> int:
    """Optimiser steps in an epoch: whole batches only, what is left over is not shown.

    Arguments as of `validate`.

    Raises:
        InvalidInput: the data set is unknown, or has not one whole batch.
    """
    dataset = dataset or _known("dataset", config.dataset, DATASETS)
    shown = dataset.images * dataset.repeats
    if config.batch_size > shown:
        raise InvalidInput(
            f"An epoch of {dataset.title} shows {shown} images, too few for a batch of "
            f"{config.batch_size}.",
            "batch_size",
        )
    return shown // config.batch_size


def _known(kind: str, name: str, table: Mapping[str, Entry], field: str | None = None) -> Entry:
    if name not in table:
        names = ", ".join(table)
        raise InvalidInput(f"There is no {kind} {name!r}; there are {names}.", field or kind)
    return table[name]


def check_distortion(names: str, field: str = "distortion") -> None:
    """Sees that there are distortions of these names, joined by `+`.

    Raises:
        InvalidInput: there is one that is not; the text lists those that exist.
    """
    for name in names.split("+"):
        _known("distortion", name, DISTORTIONS, field)


def _check_sampler(sampler: SamplerConfig) -> None:
    _known("sampler.padding", sampler.padding, PADDINGS)
    if (sampler.background is not None) != (sampler.padding == "background"):
        raise InvalidInput(
            "sampler.background, a tone from 0 to 1, goes with the sampler.padding 'background' "
            "and with no other.",
            "sampler.background",
        )


def fits(architecture: Architecture, dataset: DatasetEntry) -> bool:
    """Whether a network takes a data set's images and knows as many classes and places."""
    classes = len(dataset.classes)
    return (architecture.channels, architecture.labels) == (dataset.channels, dataset.labels) and (
        architecture.classes == classes or (architecture.any_classes and classes > 1)
    )


def _check_fit(config: RunConfig, architecture: Architecture, dataset: DatasetEntry) -> None:
    if not fits(architecture, dataset):
        suited = [each.name for each in ARCHITECTURES.values() if fits(each, dataset)]
        raise InvalidInput(
            f"{architecture.title} is not made for {dataset.title}, whose images have "
            f"{_counted(dataset.channels, 'channel')}, {_counted(len(dataset.classes), 'class')} "
            f"and {_counted(dataset.labels, 'label')} each; suited are {', '.join(suited)}.",
            "architecture",
        )
    if config.probes.count > dataset.held_out:
        raise InvalidInput(
            f"{dataset.title} has {dataset.held_out} held-out images to watch, fewer than the "
            f"{config.probes.count} probes that were asked for.",
            "probes.count",
        )
    steps_per_epoch(config, dataset)


def _counted(count: int, word: str) -> str:
    plural = "es" if word.endswith("s") else "s"
    return f"{count} {word}{'' if count == 1 else plural}"
