"""Cards: the provenance of the weights that ship with the package; readable without torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).with_name("weights")
SUFFIX = ".safetensors"
"""Suffix of weights; their card has the same name with `.json`."""


@dataclass(frozen=True)
class Card:
    """How weights were trained, and their measured accuracy."""

    name: str
    title: str
    description: str
    subject: str
    """What a picture should show, as in "a picture of one digit"."""
    architecture: str
    family: str
    dataset: str
    distortion: str
    classes: tuple[str, ...]
    parameters: int
    command: str | None = None
    """The command that trained them; as all that follow, None if unknown."""
    seed: int | None = None
    steps: int | None = None
    accuracy: float | None = None
    """Accuracy on held-out images at the last step."""
    date: str | None = None
    machine: str | None = None
    split: str | None = None
    """Description of the images, and of those that were held out, as a sentence."""
    licence: str | None = None
    """Licence of the weights, and of the images that they were trained on."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return a card from its fields as JSON has them."""
        return cls(**{**fields, "classes": tuple(fields["classes"])})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a card from a JSON file."""
        return cls.of(json.loads(path.read_text(encoding="utf-8")))


@cache
def cards() -> dict[str, Card]:
    """Return the cards of all weights that ship, by name."""
    return {path.stem: Card.read(path) for path in sorted(FOLDER.glob("*.json"))}
