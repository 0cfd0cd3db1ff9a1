"""Distortions that bend images: seen from elsewhere, or stretched like rubber.

Both draw where points of the canvas lie in the image, as a transformer does, by the families of
`models.families`; so what a transformer of the same family has to do is to undo them.
"""

import torch
from torch import Tensor

from backend.experiment.distortions.distortion import Distortion
from models import families, grid

SMALLEST = 0.75
"""Images shrink to between this and their own size, so that most of them stays on the canvas."""
CORNER_DEVIATION = 5.0
CONTROL_DEVIATION = 1.5
"""Standard deviations of a shift, in pixels of a 28 pixels wide image."""
ON = 28
FURTHEST = 0.9
"""Normal shifts are cut off where one in ten, either way, would be larger: no two corners meet."""
SPLINE = "spline-4"


def _shifts(draws: Tensor, deviation: float, strength: float, points: int) -> Tensor:
    """Normal shifts of so many points, (N, points, 2), in half image sides."""
    normal: Tensor = torch.special.ndtri(draws.clamp(1 - FURTHEST, FURTHEST))
    return normal.T.reshape(-1, points, 2) * (strength * deviation / (ON / 2))


def _scale(growth: Tensor, strength: float) -> Tensor:
    return (1 - (1 - SMALLEST) * (1 - growth) * strength)[:, None, None]


def _read(images: Tensor, points: Tensor, size: tuple[int, int]) -> Tensor:
    return grid.sample(images, points.view(-1, *size, 2))


def _canvas(images: Tensor, size: tuple[int, int]) -> Tensor:
    """How large canvases are, in image widths and heights; (2,)."""
    (height, width), (rows, columns) = images.shape[-2:], size
    return torch.tensor([columns / width, rows / height])


def _project(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, size: tuple[int, int]
) -> Tensor:
    """Each corner of an image goes to a place of its own; the homography that undoes it is read."""
    corners = grid.corners()
    placed = corners * _scale(draws[0], strength)
    placed = (placed + _shifts(draws[1:], CORNER_DEVIATION, strength, 4)) / _canvas(images, size)
    theta = _homography(placed, corners.expand(len(images), -1, -1))
    warp = families.get("projective").warp
    return _read(images, warp(theta, grid.pixel_centres(*size)), size)


def _homography(points: Tensor, targets: Tensor) -> Tensor:
    """theta (N, 8) of the projective family that takes four points (N, 4, 2) to four others."""
    x, y = points.unbind(2)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows = [
        torch.stack(
            [
                *((x, y, one, zero, zero, zero) if axis == 0 else (zero, zero, zero, x, y, one)),
                -x * targets[..., axis],
                -y * targets[..., axis],
            ],
            dim=2,
        )
        for axis in (0, 1)
    ]
    # Three corners of a random quadrilateral may lie on a line, which no homography takes to three
    # that do not: the least squares one is as good as any.
    system, wanted = torch.cat(rows, dim=1), torch.cat([targets[..., 0], targets[..., 1]], dim=1)
    solution: Tensor = torch.linalg.lstsq(system.double(), wanted.double()[..., None]).solution
    return solution[..., 0].float()


def _stretch(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, size: tuple[int, int]
) -> Tensor:
    """Control points over the image are read from beside where they lie."""
    family = families.get(SPLINE)
    controls = torch.tensor(family.identity).view(1, -1, 2)
    shifts = _shifts(draws[1:], CONTROL_DEVIATION, strength, controls.shape[1])
    theta = (controls + shifts) / _scale(draws[0], strength)
    points = grid.pixel_centres(*size) * _canvas(images, size)
    return _read(images, family.warp(theta.flatten(1), points), size)


projective = Distortion(1 + 2 * 4, 0, _project)
"""P of Jaderberg et al., 2015, A.4: scaled by 0.75 to 1, then each corner shifted by normal noise
of 5 pixels."""

elastic = Distortion(1 + families.get(SPLINE).parameters, 0, _stretch)
"""E: scaled by 0.75 to 1, then bent by a thin plate spline whose 16 control points are shifted by
normal noise of 1.5 pixels."""
