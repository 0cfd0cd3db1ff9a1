"""The description of a data set, before it is loaded; each is in its own module of `data`."""

from dataclasses import dataclass

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import Padding
from stnscope.models.catalog import Architecture

NO_DIGIT = "\u2013"
"""The class at a position without a digit, where images have numbers of several digits."""


@dataclass(frozen=True)
class DatasetEntry:
    """A data set's description, and settings that suit it."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    channels: int
    height: int
    width: int
    images: int
    """Number of training images."""
    held_out: int
    """Number of held-out images."""
    repeats: int
    """Times that an epoch shows each image, with a new distortion each time."""
    source: str
    """Where it was published."""
    licence: str
    architecture: str
    """Default network."""
    distortion: str
    """Default distortion."""
    strength: float = 1.0
    """Default strength of the distortion."""
    consistency: float = 0.0
    """Default weight of the consistency loss for networks with transformers."""
    instructions: str = "It is part of the program."
    """How to get it. `data.availability` fills it in for data sets that are read from files."""
    available: bool = True
    """Whether its files exist and have passed inspection."""
    fault: str = ""
    """What is wrong with its files, as a sentence; empty if nothing is known."""
    labels: int = 1
    """Labels per image; more than one if an image is a sequence."""
    separate_channels: bool = False
    """Whether each channel is an image that is distorted separately."""
    padding: Padding = 0.0
    """Padding around an image on its canvas."""
    tracks: bool = False
    """Whether held-out images are tracks: series of photos of one subject, in order of time."""
    subject: tuple[int, int] | None = None
    """(height, width) of the object in the middle of an image, in pixels; None if it fills it."""

    def canvas(self, architecture: Architecture) -> Canvas:
        """Return the canvas on which a network's input images are drawn."""
        return Canvas(architecture.height, architecture.width, self.padding, self.subject)
