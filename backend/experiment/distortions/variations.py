"""What a classifier should survive besides being moved about: how things are seen, lit and made.

With a change of scale, in `placing`, these are the seven variations that courses on vision name.
Each leaves the image in the middle of its canvas.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.placement import CROP_DRAWS, centre, clutter
from stnscope.backend.experiment.distortions.warping import extent, homography, read, stretch
from stnscope.models import families, grid

SIDEWAYS = math.radians(55)
"""How far a viewer steps aside, or up or down, at most."""
DISTANCE = 3.0
"""Of a viewer, in half image sides."""
BAR = (0.2, 0.45)
"""Width of the bar that hides something, in half image sides."""
DARKEST, BRIGHTEST = 0.35, 1.4
SLOPE = 0.6
"""How much more light falls on one side than in the middle, at most."""
HAZE = 0.35
LEAN = 0.35
STRETCH = 0.25
CROPS = 10
CONTROL_DEVIATION = 2.0


def _view(images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas) -> Tensor:
    yaw, pitch = ((draws * 2 - 1) * SIDEWAYS * strength)[:, :, None]
    x, y = grid.corners().unbind(1)
    # Turned about the upright axis, then about the level one, and seen from in front.
    depth = x * yaw.sin()
    x = x * yaw.cos()
    y, depth = y * pitch.cos() - depth * pitch.sin(), y * pitch.sin() + depth * pitch.cos()
    seen = torch.stack([x, y.expand_as(x)], dim=2) / (1 + depth / DISTANCE)[..., None]
    theta = homography(seen / extent(images, canvas), grid.corners().expand(len(images), -1, -1))
    warp = families.get("projective").warp
    return read(images, warp(theta, grid.pixel_centres(*canvas.size)), canvas)


def _occlude(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """A bar across the subject at any angle, of one tone, its edges soft by a pixel."""
    canvases = centre(images, others, draws[:0], strength, canvas)
    turn, away, wide, tone = draws[:, :, None]
    height, width = canvas.subject or images.shape[-2:]
    pixels = grid.to_pixels(grid.pixel_centres(*canvas.size), *canvas.size)
    points = (pixels - torch.tensor([canvas.width, canvas.height]) / 2) / (max(height, width) / 2)
    angle = turn * math.pi
    across = points[:, 0] * angle.cos() + points[:, 1] * angle.sin() - (away - 0.5)
    half = (BAR[0] + (BAR[1] - BAR[0]) * wide) / 2 * strength
    soft = 2 / max(height, width)
    cover = ((half - across.abs()) / soft + 0.5).clamp(0, 1) * (half / soft).clamp(max=1)
    cover = cover.view(-1, 1, *canvas.size)
    hidden: Tensor = canvases * (1 - cover) + cover * (0.25 + 0.5 * tone[..., None, None])
    return hidden


def _light(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Light that is dim or harsh, falls from one side, and haze before it."""
    canvases = centre(images, others, draws[:0], strength, canvas)
    bright, slope, turn, haze = draws[:, :, None]
    points = grid.pixel_centres(*canvas.size)
    side = points[:, 0] * (2 * math.pi * turn).cos() + points[:, 1] * (2 * math.pi * turn).sin()
    gain = DARKEST + (BRIGHTEST - DARKEST) * bright + SLOPE * slope * side
    gain = (1 + (gain - 1) * strength).view(-1, 1, *canvas.size)
    veil = (HAZE * haze * strength)[..., None, None]
    lit: Tensor = (canvases * gain * (1 - veil) + veil).clamp(0, 1)
    return lit


def _surround(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    canvases = centre(images, others, draws[:0], strength, canvas)
    crops = draws.view(CROP_DRAWS, CROPS, len(images))
    return clutter(canvases, others, crops[:, : round(CROPS * strength)])


def _vary(images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas) -> Tensor:
    """Bolder or thinner, wider or narrower, leaning to either side."""
    bold, wide, lean = (draws * 2 - 1) * strength
    thicker = functional.max_pool2d(images, 3, stride=1, padding=1)
    thinner = -functional.max_pool2d(-images, 3, stride=1, padding=1)
    bold = bold[:, None, None, None]
    images = images + bold.clamp(min=0) * (thicker - images)
    images = images + (-bold).clamp(min=0) * (thinner - images)
    across, down = extent(images, canvas)
    none, one = torch.zeros_like(wide), torch.ones_like(wide)
    rows = [across / (1 + STRETCH * wide), LEAN * lean * down, none, none, down * one, none]
    points = families.get("affine").warp(torch.stack(rows, dim=1), grid.pixel_centres(*canvas.size))
    return read(images, points, canvas)


def _deform(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    return stretch(images, draws, CONTROL_DEVIATION * strength, torch.ones(len(images)), canvas)


viewpoint = Distortion(2, 0, _view)
occlusion = Distortion(4, 0, _occlude)
illumination = Distortion(4, 0, _light)
background_clutter = Distortion(0, CROP_DRAWS * CROPS, _surround)
variation = Distortion(3, 0, _vary)
deformation = Distortion(families.get("spline-4").parameters, 0, _deform)
