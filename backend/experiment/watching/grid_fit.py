"""Find the theta that describes a grid: the one it was made from, or the one that fits best.

Thetas are in the convention of `models.grid`, normalised with `align_corners=False`. B grids of
(h, w) points; (H, W) the size of the sampled map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.frames.region_geometry import Floats
from stnscope.backend.experiment.watching.map_location import parent_of
from stnscope.backend.experiment.watching.sampling_calls import SamplingCall, Source

EXACT_RESIDUAL = 0.01
"""Pixels; a fit as close as this describes the grid."""
PROJECTIVE_ADVANTAGE = 0.25
"""Largest residual of a projective fit that is preferred, as a share of the affine one's."""
MAX_FITTED_POINTS = 15
"""Points along each side of a grid that are fitted."""
MIN_DEPTH = 1e-3
"""Smallest third coordinate of a point; a region beyond the horizon is not fitted."""


@dataclass(frozen=True, eq=False)
class FittedTheta:
    """The theta of B grids.

    Attributes:
        family: `affine` or `projective`.
        theta: (B, 6) or (B, 8).
        residual: the largest distance to the grid in pixels of the sampled map; None if the theta
            was read, not fitted.
    """

    family: str
    theta: Floats
    residual: float | None

    @property
    def is_exact(self) -> bool:
        """Whether it describes the grid, so that the grid can be computed from it anywhere."""
        return self.residual is None or self.residual <= EXACT_RESIDUAL

    def apply(self, points: Floats) -> Floats:
        """Map points (B, M, 2) of the output to points of the sampled map, both normalised."""
        tail = np.tile([0.0, 0.0, 1.0][self.theta.shape[1] - 9 :], (len(self.theta), 1))
        homography = np.concatenate([self.theta, tail], axis=1).reshape(-1, 3, 3)
        mapped = np.concatenate([points, np.ones_like(points[..., :1])], axis=2)
        mapped = mapped @ homography.transpose(0, 2, 1)
        return np.asarray(mapped[..., :2] / mapped[..., 2:])


def theta_of(
    call: SamplingCall, indices: list[int], points: Floats, *, is_projective: bool = False
) -> FittedTheta:
    """Return the theta of some maps of a call.

    Args:
        call: to be described.
        indices: of the maps.
        points: their grids in pixels of the sampled map, (B, h, w, 2).
        is_projective: whether an earlier grid of this transformer was; then this one is fitted
            likewise, since a family does not change while a network trains.
    """
    made = _affine_grid(call.grid_source)
    if made is not None and made.theta is not None:
        return FittedTheta("affine", _read(made, call)[indices], None)
    return _fit(points, call.size, is_projective=is_projective)


def _affine_grid(source: Source | None) -> Source | None:
    """Return the call of `affine_grid` that made a grid, if nothing has changed its points."""
    while source is not None and source.theta is None:
        if source.operation not in ("clone", "_to_copy", "detach", "alias", "contiguous"):
            return None
        source = parent_of(source)
    return source


def _read(made: Source, call: SamplingCall) -> Floats:
    """Return the theta of `affine_grid` as if both calls had `align_corners=False`, (B, 6)."""
    assert made.theta is not None
    theta = made.theta.float().cpu().numpy().astype(np.float64).reshape(-1, 2, 3)
    output = np.array([made.shape[2], made.shape[1]], dtype=np.float64)
    source = np.array([call.size[1], call.size[0]], dtype=np.float64)
    if made.arguments[2]:
        # A single pixel is at 0 in one convention and in the other.
        inner = np.where(output > 1, output / np.maximum(output - 1, 1), 0.0)
        theta = theta * np.append(inner, 1.0)
    if call.align_corners:
        theta = theta * ((source - 1) / source)[:, None]
    return theta.reshape(-1, 6)


def _fit(points: Floats, size: tuple[int, int], *, is_projective: bool) -> FittedTheta:
    count, height, width = points.shape[:3]
    sides = np.array([size[1], size[0]], dtype=np.float64)
    rows, columns = _spread(height), _spread(width)
    targets = (points[:, rows][:, :, columns] * 2 / sides - 1).reshape(count, -1, 2)
    x, y = np.meshgrid(_centres(width)[columns], _centres(height)[rows])
    plane = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    affine = _fit_affine(targets, plane)
    affine_residual = _residual(affine, targets, plane, sides)
    if is_projective or affine_residual > EXACT_RESIDUAL:
        projective = _fit_projective(targets, plane)
        residual = _residual(projective, targets, plane, sides)
        limit = max(EXACT_RESIDUAL, PROJECTIVE_ADVANTAGE * affine_residual)
        if is_projective or residual <= limit:
            return FittedTheta("projective", projective[:, :8], residual)
    return FittedTheta("affine", affine[:, :6], affine_residual)


def _spread(side: int) -> NDArray[np.intp]:
    """Return up to `MAX_FITTED_POINTS` indices along a side, evenly spaced, with both ends."""
    count = min(side, MAX_FITTED_POINTS)
    return np.linspace(0, side - 1, count).round().astype(np.intp)


def _centres(side: int) -> Floats:
    return np.asarray((2 * np.arange(side) + 1) / side - 1)


def _fit_affine(targets: Floats, plane: Floats) -> Floats:
    """Fit by least squares; return homographies without perspective, (B, 9)."""
    theta = (np.linalg.pinv(plane) @ np.nan_to_num(targets)).transpose(0, 2, 1).reshape(-1, 6)
    return np.concatenate([theta, np.tile([0.0, 0.0, 1.0], (len(theta), 1))], axis=1)


def _fit_projective(targets: Floats, plane: Floats) -> Floats:
    """Fit by linear least squares; return homographies, (B, 9)."""
    count, target = len(targets), np.nan_to_num(targets)
    zeros = np.zeros_like(plane)
    system = np.concatenate(
        [
            np.concatenate(
                [
                    np.broadcast_to(np.concatenate(sides, axis=1), (count, len(plane), 6)),
                    -target[..., axis, None] * plane[:, :2],
                ],
                axis=2,
            )
            for axis, sides in enumerate(((plane, zeros), (zeros, plane)))
        ],
        axis=1,
    )
    values = np.concatenate([target[..., 0], target[..., 1]], axis=1)
    theta = (np.linalg.pinv(system) @ values[..., None])[..., 0]
    return np.concatenate([theta, np.ones((count, 1))], axis=1)


def _residual(homographies: Floats, targets: Floats, plane: Floats, sides: Floats) -> float:
    """Return the largest distance in pixels; infinite beyond the horizon, 0 if it is not a grid."""
    mapped = plane @ homographies.reshape(-1, 3, 3).transpose(0, 2, 1)
    depths = mapped[..., 2:]
    if (depths < MIN_DEPTH).any():
        return float("inf")
    distances = np.linalg.norm((mapped[..., :2] / depths - targets) * sides / 2, axis=-1)
    is_finite = np.isfinite(distances)
    return float(distances[is_finite].max()) if is_finite.any() else 0.0
