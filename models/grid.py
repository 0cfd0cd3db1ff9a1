"""Where a transformer samples.

Convention, for every file here and everything that reads what they make:

- A point is (x, y), x first, x to the right and y down.
- Points are normalised: -1 and 1 are the outer edges of the first and last pixel
  (`align_corners=False`), so the centre of pixel i of n lies at (2 i + 1) / n - 1.
- theta maps points of the output to points of the input: an inverse warp. A scale below 1
  zooms in, and the warp of the output's corners is the region that is sampled.
- Corners run clockwise from the output's top left.
- In pixels, (0, 0) is the outer edge of the first pixel and (width, height) that of the last.
- Outside the image there is background: black, 0, unless something else is asked for.

Letters: N images, C channels, H and W the input's size, h and w the output's, M points.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))


def corners() -> Tensor:
    """The output's outer corners, clockwise from the top left, (4, 2)."""
    return torch.tensor(CORNERS)


def pixel_centres(height: int, width: int) -> Tensor:
    """Centres of an image's pixels row by row, (height * width, 2)."""
    y = (torch.arange(height) * 2 + 1) / height - 1
    x = (torch.arange(width) * 2 + 1) / width - 1
    return torch.cartesian_prod(y, x).flip(1)


def lattice(side: int) -> Tensor:
    """`side` x `side` points from edge to edge, row by row, (side * side, 2)."""
    ticks = torch.linspace(-1, 1, side)
    return torch.cartesian_prod(ticks, ticks).flip(1)


def to_pixels(points: Tensor, height: int, width: int) -> Tensor:
    """Normalised points (..., 2) in the pixels of an image of that size."""
    return (points + 1) / 2 * points.new_tensor([width, height])


def from_pixels(points: Tensor, height: int, width: int) -> Tensor:
    """Points (..., 2) in the pixels of an image of that size, normalised."""
    return points * 2 / points.new_tensor([width, height]) - torch.ones_like(points)


BORDER: Literal["border"] = "border"
"""Outside the image its outermost pixels go on."""
Outside = float | Literal["border"]
"""What there is outside an image: one value, that of its background, or `BORDER`."""


def sample(images: Tensor, grid: Tensor, *, outside: Outside = 0.0) -> Tensor:
    """Reads images (N, C, H, W) at a grid (N, h, w, 2), bilinearly; (N, C, h, w).

    Half a pixel inside the image's edge it begins to blend into what is outside. A background that
    is not 0 must be named: read as black it would frame all that is zoomed out, and a network
    learns to avoid the frame.
    """
    if outside == BORDER:
        return _read(images, grid, "border")
    if outside == 0.0:
        return _read(images, grid, "zeros")
    return _read(images - outside, grid, "zeros") + outside


def _read(images: Tensor, grid: Tensor, padding: str) -> Tensor:
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode=padding, align_corners=False
    )


def average(samples: Tensor, side: int) -> Tensor:
    """Means of `side` x `side` samples each: (N, C, side h, side w) -> (N, C, h, w).

    Bilinear sampling reads four pixels, however far its points lie apart; where an output is much
    smaller than its region, several samples for each pixel keep it from aliasing (sec. 3.4).
    """
    return samples if side == 1 else functional.avg_pool2d(samples, side)
