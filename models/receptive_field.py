"""Where the pixels of a feature map look in the image that the map was made of.

A pixel of a map sees a window of the image, its receptive field. With layers of one stride and one
padding, the windows' centres lie on a regular lattice, so that a map's place in its image is one
step and one start along each axis. Conventions of `models.grid`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from torch import Tensor, nn

from stnscope.models import grid

Pair = tuple[float, float]
"""Along x and along y."""

POINTWISE = (
    nn.Identity,
    nn.ReLU,
    nn.Tanh,
    nn.BatchNorm2d,
    nn.Dropout,
    nn.Dropout2d,
)
"""Layers whose pixels look at themselves."""


class Pointwise(nn.Module):
    """A layer of ours that changes an image's tones alone.

    Its pixels look at themselves, or at a window about them.
    """

    def of_even(self, tone: float) -> float:
        """What it makes of a pixel with nothing but one tone about it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Field:
    """The centres of the receptive fields of a map's pixels.

    Attributes:
        source: height and width of the image in pixels.
        size: height and width of the map.
        step: pixels of the image from one of the map's to the next, (x, y).
        start: where in the image the map's first outer edge lies, (x, y), in its pixels; the
            centres go on beyond the outermost ones as far as the map's edges.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    step: Pair = (1.0, 1.0)
    start: Pair = (0.0, 0.0)

    @classmethod
    def of(cls, size: tuple[int, int]) -> "Field":
        """An image that is its own map."""
        return cls(size, size)

    @property
    def stands(self) -> bool:
        """Whether each pixel of the map looks at the one of the image in its place."""
        return self == Field.of(self.source)

    def through(self, layers: Iterable[nn.Module]) -> "Field":
        """The field of what these layers make of the map, one after the other.

        Raises:
            TypeError: a layer is of a kind whose windows are not known.
        """
        field = self
        for layer in layers:
            field = field._through(layer)
        return field

    def _through(self, layer: nn.Module) -> "Field":
        if isinstance(layer, nn.Sequential):
            return self.through(layer)
        if isinstance(layer, (*POINTWISE, Pointwise)):
            return self
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            return self._windowed(layer)
        raise TypeError(f"Where {type(layer).__name__} looks is not known.")

    def _windowed(self, layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> "Field":
        if getattr(layer, "ceil_mode", False):
            raise TypeError("Windows that are cut off at the edge have no common centre.")
        rows, columns = (_axis(layer, axis) for axis in (0, 1))
        sizes = tuple(
            (side + 2 * padding - reach) // stride + 1
            for side, (reach, stride, padding) in zip(self.size, (rows, columns), strict=True)
        )
        # Pixel j of the map begins at stride j - padding; its edge lies half a stride before the
        # middle of its window.
        begins = [(reach - stride) / 2 - padding for reach, stride, padding in (columns, rows)]
        return replace(
            self,
            size=(sizes[0], sizes[1]),
            step=(self.step[0] * columns[1], self.step[1] * rows[1]),
            start=(
                self.start[0] + self.step[0] * begins[0],
                self.start[1] + self.step[1] * begins[1],
            ),
        )

    def in_source(self, points: Tensor) -> Tensor:
        """Where in the image points of the map lie; (..., 2), both normalised."""
        pixels = grid.to_pixels(points, *self.size) * points.new_tensor(self.step)
        return grid.from_pixels(pixels + points.new_tensor(self.start), *self.source)

    def in_map(self, points: Tensor) -> Tensor:
        """Where on the map points of the image lie; (..., 2), both normalised."""
        pixels = grid.to_pixels(points, *self.source) - points.new_tensor(self.start)
        return grid.from_pixels(pixels / points.new_tensor(self.step), *self.size)


def _axis(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, axis: int) -> tuple[int, int, int]:
    """How far a layer's window reaches, its stride and its padding, down (0) or across (1)."""

    def along(value: int | str | tuple[int, ...]) -> int:
        return int(value[axis] if isinstance(value, tuple) else value)

    dilation = along(getattr(layer, "dilation", 1))
    reach = dilation * (along(layer.kernel_size) - 1) + 1
    return reach, along(layer.stride), along(layer.padding)
