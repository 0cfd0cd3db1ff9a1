"""What images are put on before a network sees them. Without torch."""

from dataclasses import dataclass

from stnscope.backend.experiment.config import Padding


@dataclass(frozen=True)
class Canvas:
    """The room for one image.

    Attributes:
        height, width: in pixels.
        padding: what fills the canvas around the image: a value, or `border` to repeat its edge
            pixels.
        subject: (height, width) of what is looked for in an image, around its middle, in pixels.
            Where it may be put anywhere, it stays on the canvas; the rest of the image need not.
            None is all of the image.
    """

    height: int
    width: int
    padding: Padding = 0.0
    subject: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width
