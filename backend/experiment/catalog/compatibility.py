"""Which networks, data sets and settings fit together, and the defaults that they imply."""

import math
from collections.abc import Mapping
from typing import TypeVar

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.catalog.distortions import DISTORTIONS
from stnscope.backend.experiment.catalog.training import (
    OPTIMISERS,
    PADDINGS,
    PRECISIONS,
    SCHEDULES,
)
from stnscope.backend.experiment.config import TRACKS, DistortionConfig, RunConfig, SamplerConfig
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.limits import MAX_EPOCHS
from stnscope.models.catalog import ARCHITECTURES, FAMILIES, Architecture

Entry = TypeVar("Entry")

MIN_BATCH_SIZE = 2
"""The smallest default; batch normalisation needs two images."""
PICTURE_CHANNELS = (1, 3)
"""Input channels of the networks that accept a single picture."""
MIN_DEFAULT_EPOCHS = 3
"""Lower limit of the default number of epochs."""


def picture_refusal(name: str) -> str | None:
    """Return why a single picture cannot be the input of a network; None if it can.

    Args:
        name: of the network.
    """
    architecture = ARCHITECTURES.get(name)
    if architecture is None:
        return f"There is no network {name!r} here."
    if architecture.channels not in PICTURE_CHANNELS:
        return (
            f"{architecture.title} takes {architecture.channels} images, one in each channel; "
            "a single picture cannot be its input."
        )
    return None


def with_defaults(config: RunConfig, dataset: DatasetEntry) -> RunConfig:
    """Return a configuration whose unset fields have the data set's and network's defaults."""
    set_fields = config.model_fields_set
    fields: dict[str, object] = {}
    if "architecture" not in set_fields:
        fields["architecture"] = dataset.architecture
    if "distortion" not in set_fields:
        fields["distortion"] = DistortionConfig(name=dataset.distortion, strength=dataset.strength)
    architecture = ARCHITECTURES.get(str(fields.get("architecture", config.architecture)))
    optimiser = OPTIMISERS.get(config.optimiser)
    if architecture is None or optimiser is None:  # reported by `validate`
        return config.model_copy(update=fields)
    fields |= {
        "epochs": default_epochs(architecture, dataset),
        "weight_decay": optimiser.weight_decay,
        "consistency": dataset.consistency if architecture.transformers else 0.0,
    }
    # A default is reduced for a small data set; what is requested is refused by `validate`.
    images_per_epoch = dataset.images * dataset.repeats
    fields["batch_size"] = min(config.batch_size, max(MIN_BATCH_SIZE, images_per_epoch))
    if "count" not in config.probes.model_fields_set:
        count = min(config.probes.count, max(1, dataset.held_out))
        config = config.model_copy(
            update={"probes": config.probes.model_copy(update={"count": count})}
        )
    for rate in ("learning_rate", "localisation_learning_rate"):
        fields[rate] = round(getattr(architecture, rate) * optimiser.rate_factor, 12)
    fields = {name: value for name, value in fields.items() if name not in set_fields}
    return config.model_copy(update=fields)


def default_epochs(architecture: Architecture, dataset: DatasetEntry) -> int:
    """Return the number of epochs in which a network is shown as many images as it needs."""
    images_per_epoch = max(1, dataset.images * dataset.repeats)
    epochs = math.ceil(architecture.needs_images / images_per_epoch)
    return min(max(MIN_DEFAULT_EPOCHS, epochs), MAX_EPOCHS)


def validate(config: RunConfig, dataset: DatasetEntry) -> None:
    """Check that a configuration's parts exist and fit together.

    Args:
        config: a run's configuration.
        dataset: its data set, with the number of images available.

    Raises:
        InvalidInput: they do not; names the field and what is expected.
    """
    check_names(config)
    architecture = ARCHITECTURES[config.architecture]
    _check_sampler(config.sampler)
    if architecture.families and config.family not in architecture.families:
        raise InvalidInput(
            f"{architecture.title} is built with {' or '.join(architecture.families)}.", "family"
        )
    _check_fit(config, architecture, dataset)


def check_names(config: RunConfig) -> None:
    """Check that a configuration's parts exist: one that was recorded may be of a later version.

    Raises:
        InvalidInput: one does not; the text lists those that exist.
    """
    _look_up("architecture", config.architecture, ARCHITECTURES)
    _look_up("family", config.family, FAMILIES)
    check_distortion(config.distortion.name)
    _look_up("optimiser", config.optimiser, OPTIMISERS)
    _look_up("schedule", config.schedule, SCHEDULES)
    _look_up("precision", config.precision, PRECISIONS)


def steps_per_epoch(config: RunConfig, dataset: DatasetEntry) -> int:
    """Return the optimiser steps in an epoch. An incomplete last batch is dropped.

    Args:
        config, dataset: as in `validate`.

    Raises:
        InvalidInput: the data set is smaller than a batch.
    """
    images_per_epoch = dataset.images * dataset.repeats
    if config.batch_size > images_per_epoch:
        raise InvalidInput(
            f"An epoch of {dataset.title} has {images_per_epoch} images, too few for a batch of "
            f"{config.batch_size}.",
            "batch_size",
        )
    return images_per_epoch // config.batch_size


def _look_up(kind: str, name: str, table: Mapping[str, Entry], field: str | None = None) -> Entry:
    if name not in table:
        names = ", ".join(table)
        raise InvalidInput(f"There is no {kind} {name!r}; there are {names}.", field or kind)
    return table[name]


def check_distortion(names: str, field: str = "distortion") -> None:
    """Check that distortions of these names, joined by `+`, exist.

    Raises:
        InvalidInput: one does not; the text lists those that exist.
    """
    for name in names.split("+"):
        _look_up("distortion", name, DISTORTIONS, field)


def _check_sampler(sampler: SamplerConfig) -> None:
    _look_up("sampler.padding", sampler.padding, PADDINGS)
    if (sampler.background is not None) != (sampler.padding == "background"):
        raise InvalidInput(
            "sampler.background, a value from 0 to 1, is required with the sampler.padding "
            "'background', and not accepted with any other.",
            "sampler.background",
        )


def fits(architecture: Architecture, dataset: DatasetEntry) -> bool:
    """Whether a network accepts a data set's images and has its numbers of classes and labels."""
    classes = len(dataset.classes)
    return (architecture.channels, architecture.labels) == (dataset.channels, dataset.labels) and (
        architecture.classes == classes or (architecture.any_classes and classes > 1)
    )


def _check_fit(config: RunConfig, architecture: Architecture, dataset: DatasetEntry) -> None:
    if not fits(architecture, dataset):
        suitable = [name for name, other in ARCHITECTURES.items() if fits(other, dataset)]
        raise InvalidInput(
            f"{architecture.title} does not fit {dataset.title}, whose images have "
            f"{_count(dataset.channels, 'channel')}, {_count(len(dataset.classes), 'class')} "
            f"and {_count(dataset.labels, 'label')} each; {', '.join(suitable)} fit.",
            "architecture",
        )
    if config.probes.count > dataset.held_out:
        raise InvalidInput(
            f"{dataset.title} has {dataset.held_out} held-out images, fewer than the requested "
            f"{config.probes.count} probes.",
            "probes.count",
        )
    if config.probes.moving == TRACKS and not dataset.tracks:
        raise InvalidInput(
            f"{dataset.title} has no tracks; probes.moving must be true or false.", "probes.moving"
        )
    steps_per_epoch(config, dataset)


def _count(count: int, word: str) -> str:
    plural = "es" if word.endswith("s") else "s"
    return f"{count} {word}{'' if count == 1 else plural}"
