"""What a sampled region looks like: its area, its place, its collapse.

Everything here is read from the lattice of a frame: `grid` (N, 7, 7, 2), points (x, y) in pixels
of an input of the given height and width, (0, 0) being the outer edge of its first pixel. So it
holds for every family, and for a frame read from anywhere. Without torch.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

OUTSIDE = 0.95
"""Share of a region outside the image from which on next to nothing is seen."""
VANISHING = 0.01
"""Area, as a share of the image's, below which a region is a dot or a line."""
FOLDED = 1e-3
"""Area, as a share of the mean cell's, from which on a cell of the other orientation is one."""
SHARED = 0.005
"""Spread of the regions over images, in image sides, below which they are one region."""
MOVED = 0.1
"""How far, in image sides, that one region must be from the whole image to count as collapsed."""


def signed_areas(grid: Floats) -> Floats:
    """Signed area of each region in square pixels, (N,): negative where it is mirrored."""
    edge = np.concatenate(
        [grid[:, 0, :-1], grid[:, :-1, -1], grid[:, -1, :0:-1], grid[:, :0:-1, 0]], axis=1
    ).astype(np.float64)
    following = np.roll(edge, -1, axis=1)
    cross = edge[..., 0] * following[..., 1] - edge[..., 1] * following[..., 0]
    return np.asarray(cross.sum(axis=1) / 2)


def _cell_areas(grid: Floats) -> Floats:
    """Signed area of each cell of each lattice, (N, 6, 6)."""
    one, other = grid[:, 1:, 1:] - grid[:, :-1, :-1], grid[:, 1:, :-1] - grid[:, :-1, 1:]
    return np.asarray((one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]) / 2)


def outside_shares(grid: Floats, height: int, width: int) -> Floats:
    """Share of each region that lies outside the image, (N,), at cell corners and middles."""
    middles = (grid[:, :-1, :-1] + grid[:, 1:, :-1] + grid[:, :-1, 1:] + grid[:, 1:, 1:]) / 4
    count = len(grid)
    points = np.concatenate([grid.reshape(count, -1, 2), middles.reshape(count, -1, 2)], axis=1)
    inside = ((points >= 0) & (points <= [width, height])).all(axis=2)
    return np.asarray(1 - inside.mean(axis=1))


def collapse_reasons(grid: Floats, height: int, width: int) -> list[str | None]:
    """Why each region shows nothing useful, or None where it does.

    `outside`: it lies outside the image. `vanishing`: its area is near zero. `folded`: parts of it
    show the image as in a mirror and parts do not, so that it lies over itself. `mirrored`: all of
    it does. `shared`: all images get one and the same region, and it is not the whole image, which
    every transformer starts with.
    """
    shares, signed = outside_shares(grid, height, width), signed_areas(grid) / (height * width)
    folded, shared = _are_folded(grid), _is_shared(grid / [width, height])
    return [
        _reason(float(share), float(area), bool(fold), shared)
        for share, area, fold in zip(shares, signed, folded, strict=True)
    ]


def _are_folded(grid: Floats) -> NDArray[np.bool_]:
    """Whether each region has cells of both orientations, (N,); rounding makes none of them."""
    cells = _cell_areas(grid.astype(np.float64)).reshape(len(grid), -1)
    least = FOLDED * np.abs(cells).mean(axis=1)
    return np.asarray((cells.min(axis=1) < -least) & (cells.max(axis=1) > least))


def _reason(share: float, area: float, folded: bool, shared: bool) -> str | None:
    if not math.isfinite(area):
        return "vanishing"
    if share >= OUTSIDE:
        return "outside"
    if abs(area) < VANISHING:
        return "vanishing"
    if folded:
        return "folded"
    if area < 0:
        return "mirrored"
    return "shared" if shared else None


def _is_shared(grid: Floats) -> bool:
    """Whether regions, in image sides, are one that is not the whole image."""
    if len(grid) < 2:
        return False
    moved = np.abs(grid.mean(axis=0) - _whole(grid.shape[1])).max()
    return bool(grid.std(axis=0).max() < SHARED and moved > MOVED)


@cache
def _ticks(side: int) -> Floats:
    """Where the points along a side of a lattice lie, from -1 to 1."""
    return np.linspace(-1, 1, side)


@cache
def _whole(side: int) -> Floats:
    """The lattice of the whole image, in image sides, (side, side, 2)."""
    ticks = (_ticks(side) + 1) / 2
    return np.stack(np.meshgrid(ticks, ticks), axis=-1)


@dataclass(frozen=True, eq=False)
class Parallelograms:
    """The parallelograms that are nearest to N regions, each a vector (x, y) in pixels, (N, 2)."""

    centre: Floats
    across: Floats
    """From the centre to the middle of the right edge."""
    down: Floats
    """From the centre to the middle of the lower edge."""

    @classmethod
    def fit(cls, grid: Floats) -> "Parallelograms":
        """By least squares over a region's points: the lattice is symmetric, so no solver."""
        count, side = grid.shape[:2]
        ticks, points = _ticks(side), grid.astype(np.float64)
        weight = side * (ticks**2).sum()
        return cls(
            points.reshape(count, -1, 2).mean(axis=1),
            ticks @ points.sum(axis=1) / weight,
            ticks @ points.sum(axis=2) / weight,
        )

    def shifts(self, height: int, width: int) -> Floats:
        """Where the centres lie, from the image's middle, in half image sides, (N, 2)."""
        middle = np.array([width, height]) / 2
        return np.asarray((self.centre - middle) / middle)

    def rotations(self) -> Floats:
        """Rotations in radians, clockwise as seen, (N,); arbitrary where there is no width."""
        return np.arctan2(self.across[:, 1], self.across[:, 0])
