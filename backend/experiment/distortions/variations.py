"""Distortions by the variations of image classification: viewpoint, occlusion and so on.

With `scale`, in `placement`, these are the seven challenges of Stanford's course CS231n. The image
stays in the centre of its canvas.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.placement import CROP_DRAWS, add_clutter, centre
from stnscope.backend.experiment.distortions.warping import (
    VIEWER_DISTANCE,
    canvas_extent,
    sample,
    solve_homography,
    warp_spline,
)
from stnscope.models import families, grid

MAX_VIEW_ANGLE = math.radians(55)
"""Horizontally and vertically."""
MIN_BAR_WIDTH, MAX_BAR_WIDTH = 0.2, 0.45
"""Range of the occluding bar's width, in half image sides."""
MIN_GAIN, MAX_GAIN = 0.35, 1.4
MAX_GRADIENT = 0.6
"""Difference in gain between an edge and the centre."""
MAX_HAZE = 0.35
MAX_SHEAR = 0.35
MAX_STRETCH = 0.25
CROPS = 10
CONTROL_DEVIATION = 2.0


def _view(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    yaw, pitch = ((draws * 2 - 1) * MAX_VIEW_ANGLE * strength)[:, :, None]
    x, y = grid.corners().unbind(1)
    # Rotated about the vertical axis, then the horizontal one, then projected.
    depth = x * yaw.sin()
    x = x * yaw.cos()
    y, depth = y * pitch.cos() - depth * pitch.sin(), y * pitch.sin() + depth * pitch.cos()
    projected = torch.stack([x, y.expand_as(x)], dim=2) / (1 + depth / VIEWER_DISTANCE)[..., None]
    corners = grid.corners().expand(len(images), -1, -1)
    theta = solve_homography(projected / canvas_extent(images, canvas), corners)
    warp = families.get("projective").warp
    return sample(images, warp(theta, grid.pixel_centres(*canvas.size)), canvas)


def _occlude(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Cover the subject by a bar of one value at any angle, its edges one pixel soft."""
    canvases = centre(images, clutter_source, draws[:0], strength, canvas)
    rotation, offset, width_draw, value = draws[:, :, None]
    height, width = canvas.subject or images.shape[-2:]
    pixels = grid.to_pixels(grid.pixel_centres(*canvas.size), *canvas.size)
    points = (pixels - torch.tensor([canvas.width, canvas.height]) / 2) / (max(height, width) / 2)
    angle = rotation * math.pi
    distance = points[:, 0] * angle.cos() + points[:, 1] * angle.sin() - (offset - 0.5)
    bar_width = MIN_BAR_WIDTH + (MAX_BAR_WIDTH - MIN_BAR_WIDTH) * width_draw
    half = bar_width / 2 * strength
    soft = 2 / max(height, width)
    cover = ((half - distance.abs()) / soft + 0.5).clamp(0, 1) * (half / soft).clamp(max=1)
    cover = cover.view(-1, 1, *canvas.size)
    covered: Tensor = canvases * (1 - cover) + cover * (0.25 + 0.5 * value[..., None, None])
    return covered


def _illuminate(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Change brightness by a gain with a gradient, and add haze."""
    canvases = centre(images, clutter_source, draws[:0], strength, canvas)
    gain_draw, gradient, rotation, haze = draws[:, :, None]
    points = grid.pixel_centres(*canvas.size)
    angle = 2 * math.pi * rotation
    along = points[:, 0] * angle.cos() + points[:, 1] * angle.sin()
    gain = MIN_GAIN + (MAX_GAIN - MIN_GAIN) * gain_draw + MAX_GRADIENT * gradient * along
    gain = (1 + (gain - 1) * strength).view(-1, 1, *canvas.size)
    haze_level = (MAX_HAZE * haze * strength)[..., None, None]
    lit: Tensor = (canvases * gain * (1 - haze_level) + haze_level).clamp(0, 1)
    return lit


def _clutter_background(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    canvases = centre(images, clutter_source, draws[:0], strength, canvas)
    crops = draws.view(CROP_DRAWS, CROPS, len(images))
    return add_clutter(canvases, clutter_source, crops[:, : round(CROPS * strength)])


def _vary(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Change stroke width, aspect ratio and shear."""
    weight, width, shear = (draws * 2 - 1) * strength
    thicker = functional.max_pool2d(images, 3, stride=1, padding=1)
    thinner = -functional.max_pool2d(-images, 3, stride=1, padding=1)
    weight = weight[:, None, None, None]
    images = images + weight.clamp(min=0) * (thicker - images)
    images = images + (-weight).clamp(min=0) * (thinner - images)
    extent_x, extent_y = canvas_extent(images, canvas)
    zero, one = torch.zeros_like(width), torch.ones_like(width)
    rows = [
        extent_x / (1 + MAX_STRETCH * width),
        MAX_SHEAR * shear * extent_y,
        zero,
        zero,
        extent_y * one,
        zero,
    ]
    points = families.get("affine").warp(torch.stack(rows, dim=1), grid.pixel_centres(*canvas.size))
    return sample(images, points, canvas)


def _deform(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    return warp_spline(images, draws, CONTROL_DEVIATION * strength, torch.ones(len(images)), canvas)


viewpoint = Distortion(2, 0, _view)
occlusion = Distortion(4, 0, _occlude)
illumination = Distortion(4, 0, _illuminate)
background_clutter = Distortion(0, CROP_DRAWS * CROPS, _clutter_background)
variation = Distortion(3, 0, _vary)
deformation = Distortion(families.get("spline-4").parameters, 0, _deform)
