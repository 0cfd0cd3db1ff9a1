"""Distortions by placement: rotation, scale and translation, with clutter or without."""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.models import grid

CROPS = 6
CROP_SIDE = 6
CROP_DRAWS = 5
PLACEMENT_DRAWS = 4

MAX_VERTICAL_OFFSET = 0.5
"""Vertical offset from one element of a row to the next, in heights of an element."""
ROW_CROPS, ROW_CROP_SIDE = 8, 9


@dataclass(frozen=True)
class PlacementRange:
    """The ranges of placements at full strength."""

    rotation: float = 0.0
    """Maximum, in radians, in both directions."""
    scale: tuple[float, float] = (1.0, 1.0)
    translated: bool = False
    """Whether images are placed at random; their subject, unrotated, stays on the canvas."""


FULL = PlacementRange(math.pi / 4, (0.7, 1.2), translated=True)


@dataclass(frozen=True, eq=False)
class Placement:
    """The placements of N images on their canvases."""

    rotation: Tensor
    """(N,) radians, clockwise."""
    scale: Tensor
    """(N,) canvas pixels per image pixel."""
    centre: Tensor
    """(N, 2) position of the image's centre on the canvas, (x, y) in pixels."""


def apply_placement(images: Tensor, placement: Placement, canvas: Canvas) -> Tensor:
    """Rotate, scale and translate images (N, C, h, w) onto canvases, in one bilinear sampling.

    Returns:
        (N, C, H, W).
    """
    height, width = images.shape[-2:]
    cos, sin = placement.rotation.cos(), placement.rotation.sin()
    inverse = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
    # In pixels on both sides, so that rotation does not shear whatever the aspect ratios.
    inverse = inverse / placement.scale[:, None, None]
    inverse = inverse / images.new_tensor([width / 2, height / 2])
    offset = -(placement.centre[:, None] @ inverse)
    pixels = grid.to_pixels(grid.pixel_centres(*canvas.size), *canvas.size)
    points = torch.baddbmm(offset, pixels.expand(len(images), -1, -1), inverse)
    return grid.sample(images, points.view(-1, *canvas.size, 2), padding=canvas.padding)


def compute_placement(
    draws: Tensor,
    shape: torch.Size,
    strength: float,
    canvas: Canvas,
    within: PlacementRange = FULL,
) -> Placement:
    """Compute the placements of images with shape (N, C, h, w) from draws.

    Strength 0 is centred, upright, at the original size.

    Args:
        draws: (4, N), uniform in [0, 1]: rotation, scale, x, y.
    """
    height, width = canvas.subject or shape[-2:]
    rotation, scale_draw, x, y = draws
    low, high = within.scale
    scale = 1 + (low + (high - low) * scale_draw - 1) * strength
    extent = torch.tensor([float(canvas.width), float(canvas.height)])
    centre = (extent / 2).expand(shape[0], -1)
    if within.translated:
        margin = (extent - scale[:, None] * torch.tensor([width, height])).clamp(min=0)
        centre = centre + (torch.stack([x, y], dim=1) - 0.5) * margin * strength
    return Placement((rotation * 2 - 1) * within.rotation * strength, scale, centre)


def _place(
    images: Tensor,
    clutter_source: Tensor,
    draws: Tensor,
    strength: float,
    canvas: Canvas,
    *,
    within: PlacementRange,
    crops: int,
) -> Tensor:
    placement = compute_placement(draws[:PLACEMENT_DRAWS], images.shape, strength, canvas, within)
    crop_draws = draws[PLACEMENT_DRAWS:].view(CROP_DRAWS, crops, len(images))
    canvases = apply_placement(images, placement, canvas)
    return add_clutter(canvases, clutter_source, crop_draws[:, : round(crops * strength)])


def centre(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Place images upright in the centre of their canvases, at their original size."""
    if images.shape[-2:] == canvas.size:
        return images.clone()  # sampling would not be exact
    draws = torch.full((PLACEMENT_DRAWS, len(images)), 0.5)
    return apply_placement(images, compute_placement(draws, images.shape, 0.0, canvas), canvas)


def add_clutter(
    canvases: Tensor, clutter_source: Tensor, draws: Tensor, side: int = CROP_SIDE
) -> Tensor:
    """Add square crops of other images to each canvas, by the pixelwise maximum.

    Args:
        canvases: (N, C, H, W), changed in place.
        clutter_source: (M, C, h, w).
        draws: (5, crops, N), uniform in [0, 1): the image, the crop's top and left in it, and the
            row and column on the canvas.
        side: of a crop, in pixels.
    """
    _, _, height, width = canvases.shape
    rows, columns = clutter_source.shape[2:]
    choices = torch.tensor(
        [len(clutter_source)] + [length - side + 1 for length in (rows, columns, height, width)]
    )
    index, top, left, row, column = (draws * choices[:, None, None]).long()  # (crops, N) each
    down, across = torch.arange(side)[:, None], torch.arange(side)[None, :]
    patches = clutter_source[
        index[..., None, None],
        :,
        top[..., None, None] + down,
        left[..., None, None] + across,
    ]  # (crops, N, 6, 6, C)
    if patches.dtype == torch.uint8:
        patches = patches.to(canvases.dtype) / 255
    image = torch.arange(len(canvases))[:, None, None]
    for crop, patch in enumerate(patches):
        y, x = row[crop][:, None, None] + down, column[crop][:, None, None] + across
        canvases[image, :, y, x] = torch.maximum(canvases[image, :, y, x], patch)
    return canvases


def _slant(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Place the square elements of a row on a line that rises or falls."""
    height, width = images.shape[-2:]
    count = width // height if width % height == 0 else 1
    x_draw, y_draw, offset_draw = draws[:3] - 0.5
    left = (canvas.width - width) * (0.5 + x_draw * strength)
    top = (canvas.height - height) * (0.5 + y_draw * strength)
    zero, one = torch.zeros(len(images)), torch.ones(len(images))
    row = torch.zeros(*images.shape[:2], *canvas.size)
    for index, element in enumerate(images.tensor_split(count, dim=3)):
        from_centre = index - (count - 1) / 2
        offset_top = top + 2 * MAX_VERTICAL_OFFSET * offset_draw * strength * from_centre * height
        y = offset_top.clamp(0, canvas.height - height) + height / 2
        x = left + width / count * (index + 0.5)
        placement = Placement(zero, one, torch.stack([x, y], dim=1))
        row = torch.maximum(row, apply_placement(element, placement, canvas))
    crops = draws[3:].view(CROP_DRAWS, ROW_CROPS, len(images))
    return add_clutter(row, clutter_source, crops[:, : round(ROW_CROPS * strength)], ROW_CROP_SIDE)


def _by_placement(within: PlacementRange, crops: int = 0) -> Distortion:
    return Distortion(
        PLACEMENT_DRAWS, CROP_DRAWS * crops, partial(_place, within=within, crops=crops)
    )


scattered = _by_placement(FULL, CROPS)
"""Rotated, scaled and translated among six 6x6 crops of other images.

Combines TC and RTS of Jaderberg et al., 2015, A.4. Strength 0 is `centred`. On a path the images
move and the crops stay.
"""

centred = Distortion(0, 0, centre)
"""Upright in the centre of the canvas, at the original size; nothing is random."""

rotated = _by_placement(PlacementRange(rotation=math.pi / 2))
"""R of Jaderberg et al., 2015, A.4: rotated by up to 90 degrees in both directions, centred."""

rotated_scaled_translated = _by_placement(FULL)
"""RTS: rotated by up to 45 degrees, scaled by 0.7 to 1.2, translated."""

translated = _by_placement(PlacementRange(translated=True))
"""T: translated, upright, at the original size."""

translated_cluttered = _by_placement(PlacementRange(translated=True), CROPS)
"""TC: translated, upright, among six 6x6 crops of other images."""

rescaled = _by_placement(PlacementRange(scale=(0.5, 1.5)))
"""Upright in the centre, scaled by 0.5 to 1.5."""

slanted = Distortion(3, CROP_DRAWS * ROW_CROPS, _slant)
"""Rows on a line that rises or falls by up to half a height per element, translated, among eight
9x9 crops of other images, as in Sonderby et al., 2015."""
