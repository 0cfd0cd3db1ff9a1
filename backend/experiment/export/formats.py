"""The file formats of animations, one entry per format.

A format has a module with its writer. Its name is also the suffix of its files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.export.gif import GifWriter

Indices = NDArray[np.uint8]
FormatName = Literal["gif"]


class Writer(Protocol):
    """Writes an animation frame by frame."""

    def add(self, indices: Indices, hundredths: int) -> None:
        """Add a frame.

        Args:
            indices: (height, width), indices into the palette.
            hundredths: its duration in hundredths of a second.
        """

    def finish(self) -> bytes:
        """Return the bytes of the file."""


@dataclass(frozen=True)
class Format:
    """A file format of animations."""

    media_type: str
    open: Callable[[tuple[int, int], Indices, str], Writer]
    """Takes (width, height) in pixels, a palette (256, 3) uint8 and a comment."""


FORMATS: Mapping[FormatName, Format] = {
    "gif": Format("image/gif", GifWriter),
}
