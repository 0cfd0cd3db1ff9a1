"""The canvas that a distorted image is drawn on: a network's input. Without torch."""

from dataclasses import dataclass

from stnscope.backend.experiment.config import Padding


@dataclass(frozen=True)
class Canvas:
    """Size and padding of the canvas for one image.

    Attributes:
        height, width: in pixels.
        padding: what fills the canvas around the image: a value, or `border` to repeat its edge
            pixels.
        subject: (height, width) of the object in the middle of an image, in pixels; None if it
            fills the image. Random placement keeps the object on the canvas, but not its margin.
    """

    height: int
    width: int
    padding: Padding = 0.0
    subject: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width
