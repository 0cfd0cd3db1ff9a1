"""Presets: configurations that were trained to their end, and what they show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A run, or two runs to be compared."""

    name: str
    title: str
    description: str
    """What it shows, in a sentence or two."""
    runs: tuple[Mapping[str, Any], ...]
    """Each as `POST /api/runs` takes it: a field that is not set has its default."""


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "digits",
            "Digits",
            "Digits that are turned, scaled and shifted: within half a minute the regions close in "
            "on the digits and turn with them, so that the outputs are upright and alike.",
            ({},),
        ),
        Preset(
            "signs",
            "Traffic signs",
            "Signs at any position, size and angle: within an epoch the regions find them and "
            "close in on them. One sign is uniform in its middle, and its region shrinks to a dot.",
            ({"dataset": "signs"},),
        ),
        Preset(
            "two-transformers",
            "Two transformers",
            "Two in series: the first region closes in on the sign; the second one, in the first "
            "one's output, corrects it.",
            ({"dataset": "signs", "architecture": "signs-2st"},),
        ),
        Preset(
            "spline",
            "Spline",
            "Digits that are bent out of shape: the regions bend with them, and the outputs are "
            "straighter than the inputs.",
            ({"family": "spline-4", "distortion": "E", "consistency": 0.25},),
        ),
        Preset(
            "addition",
            "Addition",
            "Two digits, one in each channel, whose sum is the class: each transformer learns to "
            "follow a digit of its own. It is slow: after a third of the time a sum in five is "
            "wrong, at the end one in seventeen.",
            ({"dataset": "addition", "architecture": "addition-2st", "epochs": 60},),
        ),
        Preset(
            "row",
            "Three digits in a row",
            "Three digits on a slanted line: a recurrent network samples three times, one after "
            "another; the regions find the row, and move on along it as it is read.",
            ({"dataset": "sequences", "architecture": "recurrent", "consistency": 0.5},),
        ),
        Preset(
            "with-and-without",
            "With and without a transformer",
            "The same digits with a transformer and, beside it, without one. Both learn them; the "
            "one with a transformer ends with a third of the errors.",
            ({}, {"architecture": "digits-cnn"}),
        ),
        Preset(
            "collapse",
            "Collapse, and how to prevent it",
            "A localisation rate of 0.1, a hundred times the default, throws every region out of "
            "the image within a few steps, and the accuracy stays at chance. Beside it, without "
            "collapse: "
            "the same run at the default rate.",
            ({"localisation_learning_rate": 0.1, "consistency": 0.0}, {"consistency": 0.0}),
        ),
    )
}
