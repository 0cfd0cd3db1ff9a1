"""Distortions that move images about: turned, scaled, put anywhere, among clutter or not."""

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

RISE = 0.5
"""Of a row, from one to the next, at most, in their height."""
ROW_CROPS, ROW_CROP_SIDE = 8, 9


@dataclass(frozen=True)
class Range:
    """How far images are moved about at full strength."""

    rotation: float = 0.0
    """Radians, either way."""
    scale: tuple[float, float] = (1.0, 1.0)
    anywhere: bool = False
    """Whether they are put anywhere that keeps their subject, unturned, on the canvas."""


FULL = Range(math.pi / 4, (0.7, 1.2), anywhere=True)


@dataclass(frozen=True, eq=False)
class Placement:
    """How N images lie on their canvases."""

    rotation: Tensor
    """(N,) radians, clockwise as seen."""
    scale: Tensor
    """(N,) canvas pixels to one image pixel."""
    centre: Tensor
    """(N, 2) where the image's centre lies on the canvas, (x, y) in pixels."""


def place(images: Tensor, placement: Placement, canvas: Canvas) -> Tensor:
    """Turns, scales and shifts images (N, C, h, w) onto canvases, each in one bilinear reading.

    Returns:
        (N, C, H, W).
    """
    height, width = images.shape[-2:]
    cos, sin = placement.rotation.cos(), placement.rotation.sin()
    inverse = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
    # Pixels on both sides, so that a turn is a turn on canvases and images of any shape.
    inverse = inverse / placement.scale[:, None, None]
    inverse = inverse / images.new_tensor([width / 2, height / 2])
    offset = -(placement.centre[:, None] @ inverse)
    pixels = grid.to_pixels(grid.pixel_centres(*canvas.size), *canvas.size)
    points = torch.baddbmm(offset, pixels.expand(len(images), -1, -1), inverse)
    return grid.sample(images, points.view(-1, *canvas.size, 2), padding=canvas.padding)


def placement_of(
    draws: Tensor,
    shape: torch.Size,
    strength: float,
    canvas: Canvas,
    within: Range = FULL,
) -> Placement:
    """How images of a shape (N, C, h, w) are moved about on canvases.

    Strength 0 is the middle, upright, at the image's own size.

    Args:
        draws: (4, N), uniform in [0, 1]: turn, scale, place across, place down.
    """
    height, width = canvas.subject or shape[-2:]
    turn, growth, across, down = draws
    low, high = within.scale
    scale = 1 + (low + (high - low) * growth - 1) * strength
    extent = torch.tensor([float(canvas.width), float(canvas.height)])
    centre = (extent / 2).expand(shape[0], -1)
    if within.anywhere:
        room = (extent - scale[:, None] * torch.tensor([width, height])).clamp(min=0)
        centre = centre + (torch.stack([across, down], dim=1) - 0.5) * room * strength
    return Placement((turn * 2 - 1) * within.rotation * strength, scale, centre)


def _move(
    images: Tensor,
    others: Tensor,
    draws: Tensor,
    strength: float,
    canvas: Canvas,
    *,
    within: Range,
    crops: int,
) -> Tensor:
    placement = placement_of(draws[:PLACEMENT_DRAWS], images.shape, strength, canvas, within)
    of_crops = draws[PLACEMENT_DRAWS:].view(CROP_DRAWS, crops, len(images))
    return clutter(place(images, placement, canvas), others, of_crops[:, : round(crops * strength)])


def centre(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """Images upright in the middle of their canvases, at their own size."""
    if images.shape[-2:] == canvas.size:
        return images.clone()  # to the last bit
    middle = torch.full((PLACEMENT_DRAWS, len(images)), 0.5)
    return place(images, placement_of(middle, images.shape, 0.0, canvas), canvas)


def clutter(canvases: Tensor, others: Tensor, draws: Tensor, side: int = CROP_SIDE) -> Tensor:
    """Puts square crops of other images on each canvas; the lighter of the two shows.

    Args:
        canvases: (N, C, H, W), which are changed.
        others: (M, C, h, w).
        draws: (5, crops, N), uniform in [0, 1): which image, and from where to where.
        side: of a crop in pixels.
    """
    _, _, height, width = canvases.shape
    rows, columns = others.shape[2:]
    room = torch.tensor(
        [len(others)] + [length - side + 1 for length in (rows, columns, height, width)]
    )
    which, top, left, row, column = (draws * room[:, None, None]).long()  # (crops, N) each
    down, across = torch.arange(side)[:, None], torch.arange(side)[None, :]
    cut = others[
        which[..., None, None],
        :,
        top[..., None, None] + down,
        left[..., None, None] + across,
    ]  # (crops, N, 6, 6, C)
    if cut.dtype == torch.uint8:
        cut = cut.to(canvases.dtype) / 255
    image = torch.arange(len(canvases))[:, None, None]
    for crop, light in enumerate(cut):
        y, x = row[crop][:, None, None] + down, column[crop][:, None, None] + across
        canvases[image, :, y, x] = torch.maximum(canvases[image, :, y, x], light)
    return canvases


def _slant(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    """What stands in a row, square by square, comes to stand on a line that rises or falls."""
    height, width = images.shape[-2:]
    count = width // height if width % height == 0 else 1
    across, down, rise = draws[:3] - 0.5
    left = (canvas.width - width) * (0.5 + across * strength)
    top = (canvas.height - height) * (0.5 + down * strength)
    none, one = torch.zeros(len(images)), torch.ones(len(images))
    row = torch.zeros(*images.shape[:2], *canvas.size)
    for number, piece in enumerate(images.tensor_split(count, dim=3)):
        from_middle = number - (count - 1) / 2
        fallen = top + 2 * RISE * rise * strength * from_middle * height
        y = fallen.clamp(0, canvas.height - height) + height / 2
        x = left + width / count * (number + 0.5)
        placement = Placement(none, one, torch.stack([x, y], dim=1))
        row = torch.maximum(row, place(piece, placement, canvas))
    crops = draws[3:].view(CROP_DRAWS, ROW_CROPS, len(images))
    return clutter(row, others, crops[:, : round(ROW_CROPS * strength)], ROW_CROP_SIDE)


def _moving(within: Range, crops: int = 0) -> Distortion:
    return Distortion(
        PLACEMENT_DRAWS, CROP_DRAWS * crops, partial(_move, within=within, crops=crops)
    )


scattered = _moving(FULL, CROPS)
"""Every image turned, scaled, put anywhere, among six 6x6 crops of other images.

The translated cluttered digits of Jaderberg et al., 2015, A.4, and their turned and scaled ones in
one. Strength narrows everything towards `centred`. On a path the images move, the crops stay.
"""

centred = Distortion(0, 0, centre)
"""Every image upright in the middle of its canvas, at its own size; nothing is random."""

rotated = _moving(Range(rotation=math.pi / 2))
"""R of Jaderberg et al., 2015, A.4: turned by up to 90 degrees either way, in the middle."""

rotated_scaled_translated = _moving(FULL)
"""RTS: turned by up to 45 degrees, scaled by 0.7 to 1.2, put anywhere."""

translated_cluttered = _moving(Range(anywhere=True), CROPS)
"""TC: put anywhere, upright, among six 6x6 crops of other images."""

rescaled = _moving(Range(scale=(0.5, 1.5)))
"""Every image upright in the middle, at half to half as much again of its size."""

slanted = Distortion(3, CROP_DRAWS * ROW_CROPS, _slant)
"""Rows on a line that rises or falls by up to half their height from one to the next, put anywhere,
among eight 9x9 crops of other images, as in Sonderby et al., 2015."""
