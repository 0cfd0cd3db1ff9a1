"""What a run can be made of, as literal tables, and what follows from a choice. Without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from backend.experiment.config import RunConfig
from backend.experiment.errors import InvalidInput
from models.catalog import ARCHITECTURES, FAMILIES, Architecture

__all__ = ["ARCHITECTURES", "DATASETS", "DISTORTIONS", "FAMILIES", "steps_per_epoch", "validate"]

Entry = TypeVar("Entry")


@dataclass(frozen=True)
class DatasetEntry:
    """A data set, known before it is loaded."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    images: int
    """Images to train on."""
    held_out: int
    """Images never trained on."""
    draws: int
    """How often an epoch shows each image, distorted anew each time."""
    available: bool
    how: str
    """How to get it."""
    source: str


@dataclass(frozen=True)
class DistortionEntry:
    """What can be done to an image before the network sees it."""

    name: str
    title: str
    description: str


DATASETS = {
    dataset.name: dataset
    for dataset in (
        DatasetEntry(
            "digits",
            "Handwritten digits",
            "1,797 real handwritten digits of 8x8 pixels, enlarged to 28x28; 297 are held out.",
            classes=tuple("0123456789"),
            channels=1,
            height=28,
            width=28,
            images=1500,
            held_out=297,
            draws=16,
            available=True,
            how="It is part of the program.",
            source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI "
            "Machine Learning Repository, 1998, doi.org/10.24432/C50P49, CC BY 4.0.",
        ),
    )
}

DISTORTIONS = {
    distortion.name: distortion
    for distortion in (
        DistortionEntry(
            "scattered",
            "Scattered among clutter",
            "Turned by up to 45 degrees, scaled by 0.7 to 1.2, placed anywhere, among six small "
            "crops of other images.",
        ),
        DistortionEntry(
            "centred", "Centred", "Upright in the middle at its own size, with nothing around it."
        ),
        DistortionEntry("R", "Rotated (R)", "Turned by up to 90 degrees, in the middle."),
        DistortionEntry(
            "RTS",
            "Rotated, scaled, translated (RTS)",
            "Turned by up to 45 degrees, scaled by 0.7 to 1.2, placed anywhere.",
        ),
        DistortionEntry(
            "P", "Projective (P)", "Seen from elsewhere: each corner is shifted on its own."
        ),
        DistortionEntry(
            "E", "Elastic (E)", "Stretched like rubber: a thin plate spline of 16 shifted points."
        ),
        DistortionEntry(
            "TC",
            "Translated, cluttered (TC)",
            "Placed anywhere, upright, among six small crops of other images.",
        ),
    )
}


def validate(config: RunConfig) -> None:
    """Sees that a configuration's parts exist and fit one another.

    Raises:
        InvalidInput: they do not; names the field and what would be right.
    """
    architecture = _known("architecture", config.architecture, ARCHITECTURES)
    dataset = _known("dataset", config.dataset, DATASETS)
    _known("family", config.family, FAMILIES)
    _known("distortion", config.distortion.name, DISTORTIONS)
    if architecture.families and config.family not in architecture.families:
        raise InvalidInput(
            f"{architecture.title} is built with {' or '.join(architecture.families)}.", "family"
        )
    _check_fit(config, architecture, dataset)


def steps_per_epoch(config: RunConfig) -> int:
    """Optimiser steps in an epoch: whole batches only, what is left over is not shown.

    Raises:
        InvalidInput: the data set is unknown, or has not one whole batch.
    """
    dataset = _known("dataset", config.dataset, DATASETS)
    shown = dataset.images * dataset.draws
    if config.batch_size > shown:
        raise InvalidInput(
            f"An epoch of {dataset.title} shows {shown} images, too few for a batch of "
            f"{config.batch_size}.",
            "batch_size",
        )
    return shown // config.batch_size


def _known(field: str, name: str, table: Mapping[str, Entry]) -> Entry:
    if name not in table:
        raise InvalidInput(f"There is no {field} {name!r}; there are {', '.join(table)}.", field)
    return table[name]


def _check_fit(config: RunConfig, architecture: Architecture, dataset: DatasetEntry) -> None:
    if (architecture.classes, architecture.channels) != (len(dataset.classes), dataset.channels):
        raise InvalidInput(
            f"{architecture.title} tells {architecture.classes} classes apart in images of "
            f"{architecture.channels} channels; {dataset.title} has {len(dataset.classes)} "
            f"and {dataset.channels}.",
            "architecture",
        )
    if config.probes.count > dataset.held_out:
        raise InvalidInput(
            f"{dataset.title} has {dataset.held_out} held-out images to watch.", "probes.count"
        )
    steps_per_epoch(config)
