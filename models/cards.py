"""Cards: the provenance of the weights that ship with the package; readable without torch."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("weights")


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
    command: str
    """The command that trained them."""
    seed: int
    steps: int
    accuracy: float
    """On held-out images, at the last step."""
    date: str
    machine: str

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Read a card from a JSON file."""
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**fields | {"classes": tuple(fields["classes"])})


@cache
def cards() -> dict[str, Card]:
    """Return the cards of all weights that ship, by name."""
    return {path.stem: Card.read(path) for path in sorted(FOLDER.glob("*.json"))}
