"""Adding pictures to a run's probes: checks, labels and encoding. Without torch."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from stnscope.backend.experiment.catalog import DatasetEntry, picture_refusal
from stnscope.backend.experiment.catalog.datasets import NO_DIGIT
from stnscope.backend.experiment.errors import InvalidInput
from stnscope.backend.experiment.frames.frame import Array, Label
from stnscope.backend.experiment.limits import MAX_PROBES
from stnscope.backend.experiment.run_status import ALLOWED_IN, can, format_statuses


def refusal_reason(run: Mapping[str, Any]) -> str | None:
    """Return why no picture can be added to the probes of a run, as a sentence.

    Args:
        run: as from `Recording.summary`.

    Returns:
        None if one can be added: the run is being trained, has fewer probes than the maximum, and
        its network accepts a single picture.
    """
    if not can("add_picture", run["status"]):
        expected = format_statuses(ALLOWED_IN["add_picture"])
        return f"A picture can be added to a run that is {expected}; this one is {run['status']}."
    if run["probes"] >= MAX_PROBES:
        return f"This run has {run['probes']} probes already, the maximum."
    return picture_refusal(run["config"]["architecture"])


def parse_label(text: str | None, dataset: DatasetEntry) -> Label:
    """Parse a picture's label from the names of a data set's classes.

    Args:
        text: the name of a class. Where images have several labels, that many names, separated by
            commas, or without a separator if each is a single character. None or blank: unknown.
        dataset: the run's.

    Returns:
        The index of the class, a list of indices for several labels, or None if unknown.

    Raises:
        InvalidInput: there is no such class, or the number of labels is wrong.
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
            f"Images of {dataset.title} have {dataset.labels} labels; {text!r} has {len(names)}.",
            "label",
        )
    return [_index(name, dataset) for name in names]


def _index(name: str, dataset: DatasetEntry) -> int:
    if name not in dataset.classes:
        names = ", ".join(dataset.classes)
        raise InvalidInput(
            f"{dataset.title} has no class {name!r}; its classes are {names}. The label can be "
            "left empty.",
            "label",
        )
    return dataset.classes.index(name)


def encode_image(image: Array) -> str:
    """Encode a fitted picture (H, W, C) uint8 as base64 text, for JSON."""
    return base64.b64encode(save({"image": np.ascontiguousarray(image)})).decode()


def decode_image(text: str) -> Array:
    """Decode a picture from `encode_image`."""
    return load(base64.b64decode(text))["image"]
