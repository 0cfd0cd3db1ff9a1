"""What a sampled region looks like: its area, its place, its collapse, its numbers in words.

Everything here is read from the lattice of a frame: `grid` (N, 7, 7, 2), points (x, y) in pixels
of an input of the given height and width, (0, 0) being the outer edge of its first pixel. So it
holds for every family, and for a frame read from anywhere. Without torch.
"""

import math
from dataclasses import asdict, dataclass
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
BENT = 0.005
"""Distance from a parallelogram, in image widths, from which on a region is told to be bent."""
NO_WIDTH = 1e-9
"""In image widths: what is narrower has no direction."""
MOVED = 0.1
"""How far, in image sides, that one region must be from the whole image to count as collapsed."""


@dataclass(frozen=True)
class Reading:
    """A region, told as what turns the whole image into it.

    From the image's middle, in pixels, so that a turn is a turn on images of any shape: first
    sheared (x + shear y), then scaled along both axes, then turned, then shifted.
    """

    rotation: float
    """Radians, clockwise as seen, -pi to pi."""
    scale_x: float
    """1 is the image's width; below 1 zooms in."""
    scale_y: float
    """1 is the image's height; below 0 mirrors."""
    shear: float
    """Tangent of the angle by which the upright edges lean."""
    shift_x: float
    """Where the region's middle lies, in half image widths to the right of the image's."""
    shift_y: float
    """In half image heights below the image's middle."""
    bend: float = 0.0
    """How far the region is from a parallelogram: the furthest that any point of its lattice lies
    from the nearest one's, in image widths."""

    def numbers(self) -> dict[str, float]:
        """The numbers by name."""
        return asdict(self)


def areas(grid: Floats) -> Floats:
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


def collapse(grid: Floats, height: int, width: int) -> list[str | None]:
    """Why each region shows nothing useful, or None where it does.

    `outside`: it lies outside the image. `vanishing`: its area is near zero. `folded`: parts of it
    show the image as in a mirror and parts do not, so that it lies over itself. `mirrored`: all of
    it does. `shared`: all images get one and the same region, and it is not the whole image, which
    every transformer starts with.
    """
    shares, signed = outside_shares(grid, height, width), areas(grid) / (height * width)
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
    def nearest(cls, grid: Floats) -> "Parallelograms":
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

    def turns(self) -> Floats:
        """Rotations in radians, clockwise as seen, (N,); arbitrary where there is no width."""
        return np.arctan2(self.across[:, 1], self.across[:, 0])


def readings(grid: Floats, height: int, width: int) -> list[Reading]:
    """Each region's numbers; for a bent one, those of its best parallelogram."""
    nearest, ticks = Parallelograms.nearest(grid), _ticks(grid.shape[1])
    flat = (
        nearest.centre[:, None, None]
        + nearest.across[:, None, None] * ticks[None, None, :, None]
        + nearest.down[:, None, None] * ticks[None, :, None, None]
    )
    bend = np.linalg.norm(grid - flat, axis=3).max(axis=(1, 2)) / width
    across, down = nearest.across / (width / 2), nearest.down / (height / 2)
    shift = nearest.shifts(height, width)
    return [_reading(across[i], down[i], shift[i], float(bend[i])) for i in range(len(grid))]


def _reading(across: Floats, down: Floats, shift: Floats, bend: float) -> Reading:
    """From where one pixel to the right and one pixel down go."""
    (a, c), (b, d) = across.tolist(), down.tolist()
    scale_x = math.hypot(a, c)
    if scale_x < NO_WIDTH:
        return Reading(0.0, 0.0, math.hypot(b, d), 0.0, float(shift[0]), float(shift[1]), bend)
    return Reading(
        rotation=math.atan2(c, a),
        scale_x=scale_x,
        scale_y=(a * d - b * c) / scale_x,
        shear=(a * b + c * d) / scale_x**2,
        shift_x=float(shift[0]),
        shift_y=float(shift[1]),
        bend=bend,
    )


def words(reading: Reading) -> str:
    """A reading as one sentence, in the order in which it is easiest to see."""
    degrees, lean = math.degrees(reading.rotation), math.degrees(math.atan(reading.shear))
    direction = "clockwise" if degrees > 0 else "anticlockwise"
    parts = [
        f"{reading.scale_x:.0%} of the width and {abs(reading.scale_y):.0%} of the height",
        *(["mirrored"] if reading.scale_y < 0 else []),
        f"turned {abs(degrees):.0f}° {direction}" if abs(degrees) >= 0.5 else "upright",
        f"sheared by {abs(lean):.0f}°" if abs(lean) >= 0.5 else "not sheared",
        *([f"bent by up to {reading.bend:.0%} of the width"] if reading.bend >= BENT else []),
        f"centred {_place(reading)}",
    ]
    return f"It looks at {', '.join(parts)}."


def _place(reading: Reading) -> str:
    sides = []
    if abs(reading.shift_x) >= 0.01:
        side = "right" if reading.shift_x > 0 else "left"
        sides.append(f"{abs(reading.shift_x) / 2:.0%} of the width to the {side} of")
    if abs(reading.shift_y) >= 0.01:
        side = "below" if reading.shift_y > 0 else "above"
        sides.append(f"{abs(reading.shift_y) / 2:.0%} of the height {side}")
    return f"{' and '.join(sides)} the middle" if sides else "in the middle"
