"""The recordings that ship with the program: what each shows, and which run of a preset it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stnscope.backend.experiment.catalog.presets import PRESETS


@dataclass(frozen=True)
class Example:
    """A recording that ships with the program."""

    name: str
    title: str
    description: str
    """What it shows, in a sentence."""
    preset: str
    number: int = 0
    """Index of the run in its preset."""
    compare: str | None = None
    """The name of the example that it is to be seen beside."""

    @property
    def id(self) -> str:
        """The id of its run."""
        return f"{EXAMPLE_PREFIX}{self.name}"

    @property
    def config(self) -> Mapping[str, Any]:
        """Its configuration, as `POST /api/runs` takes it, without its probes."""
        return PRESETS[self.preset].runs[self.number]


EXAMPLE_PREFIX = "example-"

EXAMPLES: Mapping[str, Example] = {
    example.name: example
    for example in (
        Example(
            "digits",
            "Digits",
            "The regions close in on the digits and turn with them.",
            "digits",
        ),
        Example(
            "signs",
            "Traffic signs",
            "The regions find the signs, at any position, size and angle, and close in on them.",
            "signs",
        ),
        Example(
            "signs-2st",
            "Traffic signs, two transformers",
            "The second region is in the first one's output, and corrects it.",
            "two-transformers",
            compare="signs",
        ),
        Example(
            "spline",
            "Bent digits, spline",
            "The regions bend with the digits, and the outputs are straighter than the inputs.",
            "spline",
        ),
        Example(
            "row",
            "Three digits in a row, recurrent network",
            "Three time steps on a row of digits: the regions rotate with it and move along it.",
            "row",
        ),
        Example(
            "digits-cnn",
            "Digits, without a transformer",
            "The same digits without a transformer: a CNN ends with more errors.",
            "with-and-without",
            number=1,
            compare="digits",
        ),
        Example(
            "collapse",
            "Collapsed regions",
            "At a localisation rate of 0.1 the regions leave the image within a few steps.",
            "collapse",
            compare="cure",
        ),
        Example(
            "cure",
            "Prevented collapse",
            "The same run at a localisation rate of 0.001: the regions stay, and learn.",
            "collapse",
            number=1,
        ),
    )
}
