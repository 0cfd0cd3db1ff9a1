"""The warp of a call of `grid_sample`: from pixels of its output to pixels of the sampled map.

N images, K maps of each of them in the call, M points. Points are (x, y) in pixels, (0, 0) being
the outer edge of the first pixel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stnscope.backend.experiment.frames.frame import LATTICE_SIDE
from stnscope.backend.experiment.frames.region_geometry import Floats
from stnscope.backend.experiment.watching.grid_fit import FittedTheta, theta_of
from stnscope.backend.experiment.watching.map_location import parent_of
from stnscope.backend.experiment.watching.sampling_calls import SamplingCall, Source


@dataclass(frozen=True, eq=False)
class CallWarp:
    """The warp of one of K maps of each of N images.

    Attributes:
        call: the call.
        indices: of the N maps among its N K.
        points: the grid in pixels of the sampled map, (N, h, w, 2).
        theta: what describes it.
        is_only: whether K is 1.
    """

    call: SamplingCall
    indices: list[int]
    points: Floats
    theta: FittedTheta
    is_only: bool

    def apply(self, points: Floats) -> Floats:
        """Map points (N, M, 2) of the output to points of the sampled map."""
        if not self.theta.is_exact:
            return interpolate(self.points, points)
        height, width = self.points.shape[1:3]
        rows, columns = self.call.size
        mapped = self.theta.apply(points * 2 / [width, height] - 1)
        return np.asarray((mapped + 1) / 2 * [columns, rows])

    def lattice(self) -> Floats:
        """Return the warp of `LATTICE_SIDE` points along the output's sides, (N, 49, 2)."""
        height, width = self.points.shape[1:3]
        ticks = np.linspace(0, 1, LATTICE_SIDE)
        lattice = np.stack(np.meshgrid(ticks * width, ticks * height), axis=-1).reshape(1, -1, 2)
        return self.apply(np.broadcast_to(lattice, (len(self.points), LATTICE_SIDE**2, 2)))


def call_warps(call: SamplingCall, count: int, projective: frozenset[int]) -> list[CallWarp]:
    """Return the warps of a call, one for each of K maps an image; none if they are not a multiple.

    Args:
        call: of N K maps.
        count: N.
        projective: those of the K warps that were homographies before.
    """
    maps, height, width = call.grid.shape[:3]
    if maps % count or not height or not width:
        return []
    per_image, points = maps // count, _points(call)
    warps = []
    for number, indices in enumerate(_indices(call, count, per_image)):
        part = points[indices]
        theta = theta_of(call, indices, part, is_projective=number in projective)
        warps.append(CallWarp(call, indices, part, theta, per_image == 1))
    return warps


def _indices(call: SamplingCall, count: int, per_image: int) -> list[list[int]]:
    """Return the indices of the N maps of each warp."""
    sources = (call.image, call.grid_source)
    if per_image > 1 and any(_is_tiled(source, count) for source in sources):
        return [[k * count + n for n in range(count)] for k in range(per_image)]
    return [[n * per_image + k for n in range(count)] for k in range(per_image)]


def _is_tiled(source: Source | None, count: int) -> bool:
    """Whether maps were concatenated, or repeated, batch after batch."""
    while source is not None and source.shape and source.shape[0] != count:
        joined = next(source.operands(), None)
        if joined and joined.shape and joined.shape[0] % count == 0:
            further: tuple[Any, ...] = source.arguments[1:]
            if source.operation == "cat" and further in ((), (0,)):
                return True
            if source.operation == "repeat" and further[0][0] > 1:
                return True
        source = parent_of(source)
    return False


def _points(call: SamplingCall) -> Floats:
    """Return a call's grid in pixels of the sampled map, (B, h, w, 2)."""
    grid = call.grid.float().cpu().numpy().astype(np.float64)
    sides = np.array([call.size[1], call.size[0]])
    if call.align_corners:
        return np.asarray((grid + 1) / 2 * (sides - 1) + 0.5)
    return np.asarray((grid + 1) / 2 * sides)


def interpolate(values: Floats, points: Floats) -> Floats:
    """Interpolate values at pixels' centres, linearly, and beyond the outermost ones.

    Args:
        values: (B, h, w, 2).
        points: (B, M, 2), in pixels.

    Returns:
        (B, M, 2).
    """
    height, width = values.shape[1:3]
    columns, column_shares = _neighbours(points[..., 0], width)
    rows, row_shares = _neighbours(points[..., 1], height)
    batch = np.arange(len(values))[:, None]
    right, below = np.minimum(columns + 1, width - 1), np.minimum(rows + 1, height - 1)
    upper = _mix(values[batch, rows, columns], values[batch, rows, right], column_shares)
    lower = _mix(values[batch, below, columns], values[batch, below, right], column_shares)
    return _mix(upper, lower, row_shares)


def _neighbours(positions: Floats, side: int) -> tuple[Any, Floats]:
    """Return the pixel before each position, and the share of the one after it."""
    # A region that is not finite is drawn nowhere; any index will do.
    centred = np.nan_to_num(positions, nan=0.0, posinf=side, neginf=0.0) - 0.5
    first = np.clip(np.floor(centred), 0, max(0, side - 2)).astype(np.int64)
    return first, positions - 0.5 - first


def _mix(first: Floats, second: Floats, share: Floats) -> Floats:
    return np.asarray(first * (1 - share[..., None]) + second * share[..., None])
