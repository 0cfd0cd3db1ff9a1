"""Distortions by warping: projective and thin plate spline.

They sample the image by a warp of `models.families`, as a transformer does, so a transformer of the
same family can learn the inverse.
"""

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.models import families, grid

MIN_SCALE = 0.75
"""Images are scaled by this to 1, so that most of each stays on the canvas."""
CORNER_DEVIATION = 5.0
CONTROL_DEVIATION = 1.5
"""Standard deviations of a shift, in pixels of an image `REFERENCE_WIDTH` wide."""
REFERENCE_WIDTH = 28
MAX_QUANTILE = 0.9
"""Normal shifts are clamped at this quantile in both directions, so that corners stay apart."""
VIEWER_DISTANCE = 3.0
"""Distance of the viewer from a tilted image, in half image sides."""
SPLINE = "spline-4"


def _shifts(draws: Tensor, deviation: float, points: int) -> Tensor:
    """Return normal shifts of a number of points, (N, points, 2), in half image sides."""
    normal: Tensor = torch.special.ndtri(draws.clamp(1 - MAX_QUANTILE, MAX_QUANTILE))
    return normal.T.reshape(-1, points, 2) * (deviation / (REFERENCE_WIDTH / 2))


def _scale(draws: Tensor, strength: float) -> Tensor:
    return (1 - (1 - MIN_SCALE) * (1 - draws) * strength)[:, None, None]


def sample(images: Tensor, points: Tensor, canvas: Canvas) -> Tensor:
    """Sample canvases (N, C, H, W) from images at points (N, H W, 2), normalised."""
    return grid.sample(images, points.view(-1, *canvas.size, 2), padding=canvas.padding)


def canvas_extent(images: Tensor, canvas: Canvas) -> Tensor:
    """Return a canvas's width and height in image widths and heights, (2,)."""
    height, width = images.shape[-2:]
    return torch.tensor([canvas.width / width, canvas.height / height])


def _project(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Shift each corner independently; sample by the inverse homography."""
    corners = grid.corners()
    shifted = corners * _scale(draws[0], strength)
    shifted = shifted + _shifts(draws[1:], CORNER_DEVIATION * strength, 4)
    shifted = shifted / canvas_extent(images, canvas)
    theta = solve_homography(shifted, corners.expand(len(images), -1, -1))
    warp = families.get("projective").warp
    return sample(images, warp(theta, grid.pixel_centres(*canvas.size)), canvas)


def solve_homography(points: Tensor, targets: Tensor) -> Tensor:
    """Return the projective theta (N, 8) that maps four points (N, 4, 2) to four targets."""
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
    # Three random corners may be collinear, where no homography exists: least squares then gives
    # a finite approximation.
    system = torch.cat(rows, dim=1)
    values = torch.cat([targets[..., 0], targets[..., 1]], dim=1)
    solution: Tensor = torch.linalg.lstsq(system.double(), values.double()[..., None]).solution
    return solution[..., 0].float()


def _elastic(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    scale = _scale(draws[0], strength)[:, 0, 0]
    return warp_spline(images, draws[1:], CONTROL_DEVIATION * strength, scale, canvas)


def warp_spline(
    images: Tensor, draws: Tensor, deviation: float, scale: Tensor, canvas: Canvas
) -> Tensor:
    """Warp images by a thin plate spline with normally shifted control points.

    Args:
        images: (N, C, h, w).
        draws: (32, N), uniform in [0, 1].
        deviation: of the shifts, in pixels of an image `REFERENCE_WIDTH` wide.
        scale: (N,), of the images on the canvas.
        canvas: the canvas to sample.
    """
    family = families.get(SPLINE)
    controls = torch.tensor(family.identity).view(1, -1, 2)
    shifts = _shifts(draws, deviation, controls.shape[1])
    theta = (controls + shifts) / scale[:, None, None]
    points = grid.pixel_centres(*canvas.size) * canvas_extent(images, canvas)
    return sample(images, family.warp(theta.flatten(1), points), canvas)


projective = Distortion(1 + 2 * 4, 0, _project)
"""P of Jaderberg et al., 2015, A.4: scaled by 0.75 to 1, then each corner shifted by normal
noise of 5 pixels."""

elastic = Distortion(1 + families.get(SPLINE).parameters, 0, _elastic)
"""E: scaled by 0.75 to 1, then warped by a thin plate spline whose 16 control points are shifted by
normal noise of 1.5 pixels."""
