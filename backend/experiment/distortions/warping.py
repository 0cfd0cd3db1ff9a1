"""Distortions that bend images: seen from elsewhere, or stretched like rubber.

Both draw where points of the canvas lie in the image, as a transformer does, by the families of
`models.families`; so what a transformer of the same family has to do is to undo them.
"""

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.models import families, grid

SMALLEST = 0.75
"""Images shrink to between this and their own size, so that most of them stays on the canvas."""
CORNER_DEVIATION = 5.0
CONTROL_DEVIATION = 1.5
"""Standard deviations of a shift, in pixels of a 28 pixels wide image."""
ON = 28
FURTHEST = 0.9
"""Normal shifts are cut off where one in ten, either way, would be larger: no two corners meet."""
SPLINE = "spline-4"


def _shifts(draws: Tensor, deviation: float, points: int) -> Tensor:
    """Normal shifts of so many points, (N, points, 2), in half image sides."""
    normal: Tensor = torch.special.ndtri(draws.clamp(1 - FURTHEST, FURTHEST))
    return normal.T.reshape(-1, points, 2) * (deviation / (ON / 2))


def _scale(growth: Tensor, strength: float) -> Tensor:
    return (1 - (1 - SMALLEST) * (1 - growth) * strength)[:, None, None]


def read(images: Tensor, points: Tensor, canvas: Canvas) -> Tensor:
    """Canvases (N, C, H, W) read from images at points (N, H W, 2), normalised."""
    return grid.sample(images, points.view(-1, *canvas.size, 2), padding=canvas.padding)


def extent(images: Tensor, canvas: Canvas) -> Tensor:
    """How large a canvas is, in image widths and heights; (2,)."""
    height, width = images.shape[-2:]
    return torch.tensor([canvas.width / width, canvas.height / height])


def _project(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Each corner of an image goes to a place of its own; the homography that undoes it is read."""
    corners = grid.corners()
    placed = corners * _scale(draws[0], strength)
    placed = (placed + _shifts(draws[1:], CORNER_DEVIATION * strength, 4)) / extent(images, canvas)
    theta = homography(placed, corners.expand(len(images), -1, -1))
    warp = families.get("projective").warp
    return read(images, warp(theta, grid.pixel_centres(*canvas.size)), canvas)


def homography(points: Tensor, targets: Tensor) -> Tensor:
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


def _bend(images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas) -> Tensor:
    scale = _scale(draws[0], strength)[:, 0, 0]
    return stretch(images, draws[1:], CONTROL_DEVIATION * strength, scale, canvas)


def stretch(
    images: Tensor, draws: Tensor, deviation: float, scale: Tensor, canvas: Canvas
) -> Tensor:
    """Control points over images are read from beside where they lie.

    Args:
        images: (N, C, h, w).
        draws: (32, N), uniform.
        deviation: of the shifts, in pixels of an image 28 pixels wide.
        scale: (N,), of the images.
        canvas: what they are put on.
    """
    family = families.get(SPLINE)
    controls = torch.tensor(family.identity).view(1, -1, 2)
    shifts = _shifts(draws, deviation, controls.shape[1])
    theta = (controls + shifts) / scale[:, None, None]
    points = grid.pixel_centres(*canvas.size) * extent(images, canvas)
    return read(images, family.warp(theta.flatten(1), points), canvas)


projective = Distortion(1 + 2 * 4, 0, _project)
"""P of Jaderberg et al., 2015, A.4: scaled by 0.75 to 1, then each corner shifted by normal noise
of 5 pixels."""

elastic = Distortion(1 + families.get(SPLINE).parameters, 0, _bend)
"""E: scaled by 0.75 to 1, then bent by a thin plate spline whose 16 control points are shifted by
normal noise of 1.5 pixels."""
