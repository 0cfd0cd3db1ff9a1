"""Area, position and collapse of sampled regions.

All of it is computed from a frame's `grid` (N, 7, 7, 2): points (x, y) in pixels of an input of
the given height and width, (0, 0) being the outer edge of its first pixel. Therefore it applies to
every family, and to any frame. Without torch.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

MIN_OUTSIDE_SHARE = 0.95
"""Share outside the image from which on a region counts as `outside`."""
MIN_AREA = 0.01
"""Area, as a share of the image's, below which a region counts as `vanishing`: a dot or a line."""
MIN_FOLDED_AREA = 1e-3
"""Area of a cell of the other orientation, as a share of the mean cell's; less is rounding."""
MAX_SHARED_SPREAD = 0.005
"""Standard deviation of regions over images, in image sides, below which they are equal."""
MIN_SHARED_DISTANCE = 0.1
"""Distance from the whole image, in image sides, above which equal regions count as `shared`."""

allow_diverged = np.errstate(all="ignore")
"""Decorates what computes with the grids of networks that may have diverged: infinities and NaN are
results there, and neither warnings in a user's program nor errors where NumPy is to raise them."""


@allow_diverged
def signed_areas(grid: Floats) -> Floats:
    """Return the signed area of each region in square pixels, (N,); negative if mirrored."""
    edge = np.concatenate(
        [grid[:, 0, :-1], grid[:, :-1, -1], grid[:, -1, :0:-1], grid[:, :0:-1, 0]], axis=1
    ).astype(np.float64)
    following = np.roll(edge, -1, axis=1)
    cross = edge[..., 0] * following[..., 1] - edge[..., 1] * following[..., 0]
    return np.asarray(cross.sum(axis=1) / 2)


def _cell_areas(grid: Floats) -> Floats:
    """Return the signed area of each cell of each lattice, (N, 6, 6)."""
    falling, rising = grid[:, 1:, 1:] - grid[:, :-1, :-1], grid[:, 1:, :-1] - grid[:, :-1, 1:]
    return np.asarray((falling[..., 0] * rising[..., 1] - falling[..., 1] * rising[..., 0]) / 2)


@allow_diverged
def outside_shares(grid: Floats, height: int, width: int) -> Floats:
    """Return the share of each region outside the image, (N,), over cell corners and middles."""
    middles = (grid[:, :-1, :-1] + grid[:, 1:, :-1] + grid[:, :-1, 1:] + grid[:, 1:, 1:]) / 4
    count = len(grid)
    points = np.concatenate([grid.reshape(count, -1, 2), middles.reshape(count, -1, 2)], axis=1)
    inside = ((points >= 0) & (points <= [width, height])).all(axis=2)
    return np.asarray(1 - inside.mean(axis=1))


@allow_diverged
def collapse_reasons(grid: Floats, height: int, width: int) -> list[str | None]:
    """Return why each region has collapsed, or None if it has not.

    `outside`: it lies outside the image. `vanishing`: its area is near zero. `folded`: some of its
    cells are mirrored and some are not, so that it overlaps itself. `mirrored`: all of its cells
    are. `shared`: all images have the same region, and it is not the whole image, with which every
    transformer starts.
    """
    shares, areas = outside_shares(grid, height, width), signed_areas(grid) / (height * width)
    folded, is_shared = _are_folded(grid), _is_shared(grid / [width, height])
    return [
        _reason(float(share), float(area), bool(is_folded), is_shared)
        for share, area, is_folded in zip(shares, areas, folded, strict=True)
    ]


def _are_folded(grid: Floats) -> NDArray[np.bool_]:
    """Whether each region has cells of both orientations, (N,), beyond rounding errors."""
    cells = _cell_areas(grid.astype(np.float64)).reshape(len(grid), -1)
    minimum = MIN_FOLDED_AREA * np.abs(cells).mean(axis=1)
    return np.asarray((cells.min(axis=1) < -minimum) & (cells.max(axis=1) > minimum))


def _reason(outside_share: float, area: float, is_folded: bool, is_shared: bool) -> str | None:
    if not math.isfinite(area):
        return "vanishing"
    if outside_share >= MIN_OUTSIDE_SHARE:
        return "outside"
    if abs(area) < MIN_AREA:
        return "vanishing"
    if is_folded:
        return "folded"
    if area < 0:
        return "mirrored"
    return "shared" if is_shared else None


def _is_shared(grid: Floats) -> bool:
    """Whether all regions, in image sides, are equal and not the whole image."""
    if len(grid) < 2:
        return False
    distance = np.abs(grid.mean(axis=0) - _whole_image(grid.shape[1])).max()
    return bool(grid.std(axis=0).max() < MAX_SHARED_SPREAD and distance > MIN_SHARED_DISTANCE)


@cache
def _ticks(side: int) -> Floats:
    """Return the coordinates of the points along a side of a lattice, from -1 to 1."""
    return np.linspace(-1, 1, side)


@cache
def _whole_image(side: int) -> Floats:
    """Return the lattice of the whole image, in image sides, (side, side, 2)."""
    ticks = (_ticks(side) + 1) / 2
    return np.stack(np.meshgrid(ticks, ticks), axis=-1)


@dataclass(frozen=True, eq=False)
class Parallelograms:
    """Parallelograms fitted to N regions; all vectors are (x, y) in pixels, (N, 2)."""

    centre: Floats
    across: Floats
    """Vector from the centre to the middle of the right edge."""
    down: Floats
    """Vector from the centre to the middle of the lower edge."""

    @classmethod
    @allow_diverged
    def fit(cls, grid: Floats) -> "Parallelograms":
        """Fit by least squares to points of regions; in closed form, as `_ticks` are symmetric."""
        count, side = grid.shape[:2]
        ticks, points = _ticks(side), grid.astype(np.float64)
        norm = side * (ticks**2).sum()
        return cls(
            points.reshape(count, -1, 2).mean(axis=1),
            ticks @ points.sum(axis=1) / norm,
            ticks @ points.sum(axis=2) / norm,
        )

    @allow_diverged
    def shifts(self, height: int, width: int) -> Floats:
        """Return the centres relative to the image's middle, in half image sides, (N, 2)."""
        middle = np.array([width, height]) / 2
        return np.asarray((self.centre - middle) / middle)

    def rotations(self) -> Floats:
        """Return the rotations in radians, clockwise, (N,); arbitrary if the width is zero."""
        return np.arctan2(self.across[:, 1], self.across[:, 0])
