"""Sampling grids: coordinates, conversion to pixels, and bilinear sampling.

Convention, for every file here and everything that uses their results:

- A point is (x, y), x first, x to the right and y down.
- Points are normalised: -1 and 1 are the outer edges of the first and last pixel
  (`align_corners=False`), so the centre of pixel i of n lies at (2 i + 1) / n - 1.
- theta maps points of the output to points of the input: an inverse warp. A scale below 1
  zooms in, and the warp of the output's corners is the sampled region.
- Corners run clockwise from the output's top left.
- In pixels, (0, 0) is the outer edge of the first pixel and (width, height) that of the last.
- Padding is what is sampled outside the image: 0 (black) by default.

Letters: N images, C channels, H and W the input's size, h and w the output's, M points.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0))
BORDER: Literal["border"] = "border"
"""Padding that repeats the image's edge pixels."""
Padding = float | Literal["border"]
"""What is sampled outside an image: a background value, or `BORDER`."""


def corners() -> Tensor:
    """Return the output's outer corners, clockwise from the top left, (4, 2)."""
    return torch.tensor(CORNERS)


def pixel_centres(height: int, width: int) -> Tensor:
    """Return the centres of an image's pixels row by row, (height * width, 2)."""
    y = (torch.arange(height) * 2 + 1) / height - 1
    x = (torch.arange(width) * 2 + 1) / width - 1
    return torch.cartesian_prod(y, x).flip(1)


def lattice(side: int) -> Tensor:
    """Return `side` x `side` points from edge to edge, row by row, (side * side, 2)."""
    ticks = torch.linspace(-1, 1, side)
    return torch.cartesian_prod(ticks, ticks).flip(1)


def to_pixels(points: Tensor, height: int, width: int) -> Tensor:
    """Convert normalised points (..., 2) to pixels of an image of this size."""
    return (points + 1) / 2 * points.new_tensor([width, height])


def from_pixels(points: Tensor, height: int, width: int) -> Tensor:
    """Convert points (..., 2) in pixels of an image of this size to normalised ones."""
    return points * 2 / points.new_tensor([width, height]) - torch.ones_like(points)


def sample(images: Tensor, grid: Tensor, *, padding: Padding = 0.0) -> Tensor:
    """Sample images (N, C, H, W) at a grid (N, h, w, 2), bilinearly; return (N, C, h, w).

    Within half a pixel of the image's edge, values blend into the padding. Pass the background's
    value where it is not 0: black padding would frame every region that is zoomed out, and a
    network learns to avoid that frame.
    """
    if padding == BORDER:
        return _grid_sample(images, grid, "border")
    if padding == 0.0:
        return _grid_sample(images, grid, "zeros")
    return _grid_sample(images - padding, grid, "zeros") + padding


def _grid_sample(images: Tensor, grid: Tensor, padding_mode: str) -> Tensor:
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode=padding_mode, align_corners=False
    )


def average(samples: Tensor, side: int) -> Tensor:
    """Average blocks of `side` x `side` samples: (N, C, side h, side w) -> (N, C, h, w).

    Bilinear sampling reads four pixels, however far apart the sampled points are. Where an output
    is much smaller than its region, several samples for each pixel prevent aliasing
    (Jaderberg et al., 2015, sec. 3.4).
    """
    return samples if side == 1 else functional.avg_pool2d(samples, side)
