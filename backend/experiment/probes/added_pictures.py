"""Which pictures may join a run's probes, and as what. Without torch; nothing is decoded here."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from stnscope.backend.experiment.catalog import ARCHITECTURES, DatasetEntry
from stnscope.backend.experiment.catalog.datasets import NO_DIGIT
from stnscope.backend.experiment.errors import Conflict, InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Label
from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.run_status import TRAINING, one_of

CHANNELS = (1, 3)
"""Of the networks that see one picture at a time, grey or in colour."""


def check_can_add_picture(run: Mapping[str, Any]) -> None:
    """Sees that a picture may join the probes of a run.

    Args:
        run: as `Recording.summary` has it.

    Raises:
        Conflict: it is not being trained, watches as many as it can, or its network sees no single
            picture.
    """
    if run["status"] not in TRAINING:
        raise Conflict(
            f"For a picture to join a run it must be {one_of(TRAINING)}; "
            f"this one is {run['status']}."
        )
    if run["probes"] >= MAX_PROBES:
        raise Conflict(f"This run watches {run['probes']} probes, as many as a run can.")
    architecture = ARCHITECTURES[run["config"]["architecture"]]
    if architecture.channels not in CHANNELS:
        raise Conflict(
            f"{architecture.title} sees {architecture.channels} images at once, each in a channel "
            "of its own; a single picture is none of its inputs."
        )


def parse_label(text: str | None, dataset: DatasetEntry) -> Label:
    """What a picture shows, by the names of a data set's classes.

    Args:
        text: a class's name. Where images have several labels, as many names: separated by commas,
            or one after another if each is a single character. None or nothing: it is not known.
        dataset: the run's.

    Raises:
        InvalidInput: there are no such classes, or other than so many.
    """
    if not text or not text.strip():
        return None
    text = text.strip()
    if dataset.labels == 1:
        return _index(text, dataset)
    names = [name.strip() for name in text.split(",")] if "," in text else list(text)
    if NO_DIGIT in dataset.classes:
        names += [NO_DIGIT] * (dataset.labels - len(names))
    if len(names) != dataset.labels:
        raise InvalidInput(
            f"Images of {dataset.title} have {dataset.labels} labels each, one after another; "
            f"{text!r} is {len(names)}.",
            "label",
        )
    return [_index(name, dataset) for name in names]


def _index(name: str, dataset: DatasetEntry) -> int:
    if name not in dataset.classes:
        known = ", ".join(dataset.classes)
        raise InvalidInput(
            f"{dataset.title} has no class {name!r}; it has {known}. Without a label the picture "
            "is watched all the same.",
            "label",
        )
    return dataset.classes.index(name)


def encode_image(image: Array) -> str:
    """A fitted picture (H, W, C) uint8 as text, for a line of JSON."""
    return base64.b64encode(save({"image": np.ascontiguousarray(image)})).decode()


def decode_image(text: str) -> Array:
    """The picture that was `encode_image`."""
    return load(base64.b64decode(text))["image"]
