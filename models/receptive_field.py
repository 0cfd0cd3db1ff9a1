"""Receptive fields: where the pixels of a feature map lie in the image it was computed from.

With one stride and one padding a layer, the centres of the receptive fields lie on a regular
lattice, so a map's position in its image is one step and one start along each axis. Conventions of
`models.grid`.
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
"""Layers of torch that keep each pixel in its position."""


class Pointwise(nn.Module):
    """A layer that changes an image's values and keeps each pixel in its position.

    It may read a window around each pixel, as local normalisation does.
    """

    def constant_response(self, value: float) -> float:
        """Return the output for a constant image of this value, away from the edges."""
        raise NotImplementedError


@dataclass(frozen=True)
class ReceptiveField:
    """The centres of the receptive fields of a map's pixels.

    Attributes:
        source: height and width of the image in pixels.
        size: height and width of the map.
        step: pixels of the image from one pixel of the map to the next, (x, y).
        start: the image position of the map's first outer edge, (x, y), in the image's pixels; the
            centres are extrapolated from the outermost ones to the map's edges.
    """

    source: tuple[int, int]
    size: tuple[int, int]
    step: Pair = (1.0, 1.0)
    start: Pair = (0.0, 0.0)

    @classmethod
    def identity(cls, size: tuple[int, int]) -> "ReceptiveField":
        """Return the field of an image of this size in itself."""
        return cls(size, size)

    @property
    def is_identity(self) -> bool:
        """Whether each pixel of the map is centred on the image's pixel in the same position."""
        return self == ReceptiveField.identity(self.source)

    def through(self, layers: Iterable[nn.Module]) -> "ReceptiveField":
        """Return the field of the map after these layers, applied one after another.

        Raises:
            TypeError: the receptive field of a layer of this type is not known.
        """
        field = self
        for layer in layers:
            field = field._through(layer)
        return field

    def _through(self, layer: nn.Module) -> "ReceptiveField":
        if isinstance(layer, nn.Sequential):
            return self.through(layer)
        if isinstance(layer, (*POINTWISE, Pointwise)):
            return self
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            return self._through_windows(layer)
        raise TypeError(f"The receptive field of {type(layer).__name__} is not known.")

    def _through_windows(self, layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> "ReceptiveField":
        if getattr(layer, "ceil_mode", False):
            raise TypeError("With ceil_mode, windows at the edge are smaller and off centre.")
        rows, columns = (_window(layer, axis) for axis in (0, 1))
        sizes = tuple(
            (side + 2 * padding - extent) // stride + 1
            for side, (extent, stride, padding) in zip(self.size, (rows, columns), strict=True)
        )
        offsets = [window_offset(*axis) for axis in (columns, rows)]
        return replace(
            self,
            size=(sizes[0], sizes[1]),
            step=(self.step[0] * columns[1], self.step[1] * rows[1]),
            start=(
                self.start[0] + self.step[0] * offsets[0],
                self.start[1] + self.step[1] * offsets[1],
            ),
        )

    def to_source(self, points: Tensor) -> Tensor:
        """Map points (..., 2) of the map to points of the image, both normalised."""
        pixels = grid.to_pixels(points, *self.size) * points.new_tensor(self.step)
        return grid.from_pixels(pixels + points.new_tensor(self.start), *self.source)

    def from_source(self, points: Tensor) -> Tensor:
        """Map points (..., 2) of the image to points of the map, both normalised."""
        pixels = grid.to_pixels(points, *self.source) - points.new_tensor(self.start)
        return grid.from_pixels(pixels / points.new_tensor(self.step), *self.size)


def window_offset(extent: int, stride: int, padding: int) -> float:
    """Return where a map's first outer edge lies in the image that windows were moved over.

    Along one axis, in the image's pixels.
    """
    # The window of pixel j begins at stride j - padding; the pixel's edge lies half a stride before
    # the window's centre.
    return (extent - stride) / 2 - padding


def _window(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, axis: int) -> tuple[int, int, int]:
    """Return a layer's window extent, stride and padding, vertically (0) or horizontally (1)."""

    def along(value: int | str | tuple[int, ...]) -> int:
        return int(value[axis] if isinstance(value, tuple) else value)

    dilation = along(getattr(layer, "dilation", 1))
    extent = dilation * (along(layer.kernel_size) - 1) + 1
    return extent, along(layer.stride), along(layer.padding)
