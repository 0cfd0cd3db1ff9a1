"""A picture changed by hand: moved, tilted, bent, darkened, cluttered, covered.

Nothing in it is random but the positions of clutter, which follow from a seed: the same variation
of the same picture is the same image. Conventions of `models.grid`.
"""

import math

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.config import MAX_CLUTTER, PictureVariation
from stnscope.backend.experiment.distortions.placement import CROP_DRAWS, add_clutter
from stnscope.backend.experiment.distortions.warping import VIEWER_DISTANCE
from stnscope.models import grid

MIN_DEPTH = 0.05
"""Depth of points behind the horizon of a tilted picture, as a share of the middle's."""
MAX_BEND = 0.5
"""How far a bent picture's upper and lower edges move against its middle, in half image sides."""
MAX_DARKNESS = 0.95
COVER_VALUE = 0.5
GEOMETRY = {"rotation", "scale", "shift_x", "shift_y", "tilt", "bend"}
"""The fields that move pixels."""


def vary(
    images: Tensor, variation: PictureVariation, canvas: Canvas, clutter: Tensor | None = None
) -> Tensor:
    """Vary images (N, C, H, W) of a canvas's size; a neutral variation returns equal ones.

    Args:
        images: in [0, 1].
        variation: how.
        canvas: their size, and what is around them.
        clutter: images (M, C, h, w) that clutter is cropped from; not needed without clutter.

    Raises:
        ValueError: they are missing, and the variation has clutter.
    """
    neutral = PictureVariation()
    if any(getattr(variation, name) != getattr(neutral, name) for name in GEOMETRY):
        points = _sampling_points(variation, canvas).expand(len(images), -1, -1, -1)
        images = grid.sample(images, points, padding=canvas.padding)
    images = images * (1 - MAX_DARKNESS * variation.darkness)
    if variation.clutter:
        if clutter is None:
            raise ValueError("There are no images that clutter could be cropped from.")
        generator = torch.Generator().manual_seed(variation.seed)
        # All are drawn, so that with one more the others stay where they are.
        draws = torch.rand(CROP_DRAWS, MAX_CLUTTER, len(images), generator=generator)
        images = add_clutter(images, clutter, draws[:, : variation.clutter])
    return _cover(images, variation.cover) if variation.cover else images


def _sampling_points(variation: PictureVariation, canvas: Canvas) -> Tensor:
    """Return where each pixel of the varied picture is sampled in the picture, (1, H, W, 2).

    Seen from the picture: it is bent, then tilted, scaled, rotated and shifted; so a point of the
    result goes through the inverses in the opposite order.
    """
    half = torch.tensor([canvas.width, canvas.height]) / 2
    points = grid.pixel_centres(*canvas.size)
    points = points - torch.tensor([variation.shift_x, variation.shift_y])
    angle = math.radians(variation.rotation)
    rotation = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    # In pixels, so that rotation does not shear.
    points = (points * half) @ rotation / half / variation.scale
    x, y = points.unbind(1)
    tilt = math.radians(variation.tilt)
    across = math.cos(tilt) - x * math.sin(tilt) / VIEWER_DISTANCE
    x = x / across.clamp(min=MIN_DEPTH)
    y = y * (1 + x * math.sin(tilt) / VIEWER_DISTANCE)
    x = x - variation.bend * MAX_BEND * y.square()
    return torch.stack([x, y], dim=1).view(1, *canvas.size, 2)


def _cover(images: Tensor, share: float) -> Tensor:
    """Cover the middle with a vertical bar, its edges one pixel soft."""
    width = images.shape[3]
    distance = (torch.arange(width) + 0.5 - width / 2).abs()
    cover = (share * width / 2 - distance + 0.5).clamp(0, 1)
    return images * (1 - cover) + cover * COVER_VALUE
