"""What is done to an image before the network sees it.

A distortion places images (N, C, h, w) on black canvases (N, C, H, W). All randomness comes from
the generator that is passed in; a whole batch is drawn at once. Conventions of `models.grid`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from models import grid

ROTATION = math.pi / 4
SCALE = (0.7, 1.2)
CROPS = 6
CROP_SIDE = 6

Distortion = Callable[[Tensor, Tensor, Generator, float, tuple[int, int]], Tensor]


@dataclass(frozen=True, eq=False)
class Placement:
    """How N images lie on their canvases."""

    rotation: Tensor
    """(N,) radians, clockwise as seen."""
    scale: Tensor
    """(N,) canvas pixels to one image pixel."""
    centre: Tensor
    """(N, 2) where the image's centre lies on the canvas, (x, y) in pixels."""


def place(images: Tensor, placement: Placement, size: tuple[int, int]) -> Tensor:
    """Turns, scales and shifts images (N, C, h, w) onto canvases, each in one bilinear reading.

    Returns:
        (N, C, H, W) for a size of (H, W); what lies outside the image is black.
    """
    height, width = images.shape[-2:]
    cos, sin = placement.rotation.cos(), placement.rotation.sin()
    inverse = torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)
    # Pixels on both sides, so that a turn is a turn on canvases and images of any shape.
    inverse = inverse / placement.scale[:, None, None]
    inverse = inverse / images.new_tensor([width / 2, height / 2])
    offset = -(placement.centre[:, None] @ inverse)
    pixels = grid.to_pixels(grid.pixel_centres(*size), *size)
    points = torch.baddbmm(offset, pixels.expand(len(images), -1, -1), inverse)
    return grid.sample(images, points.view(-1, *size, 2))


def draw_placement(
    shape: torch.Size, generator: Generator, strength: float, size: tuple[int, int]
) -> Placement:
    """Draws how images of a shape (N, C, h, w) are scattered on canvases of `size`, (H, W).

    At full strength: a turn of up to 45 degrees either way, a scale of 0.7 to 1.2, a place
    anywhere that keeps the unturned image on the canvas. Strength 0 is the middle, upright.
    """
    count, _, height, width = shape
    turn, growth, across, down = torch.rand(4, count, generator=generator)
    low, high = SCALE
    scale = 1 + (low + (high - low) * growth - 1) * strength
    canvas = torch.tensor([float(size[1]), float(size[0])])
    room = (canvas - scale[:, None] * torch.tensor([width, height])).clamp(min=0)
    shift = (torch.stack([across, down], dim=1) - 0.5) * room * strength
    return Placement((turn * 2 - 1) * ROTATION * strength, scale, canvas / 2 + shift)


def scattered(
    images: Tensor, others: Tensor, generator: Generator, strength: float, size: tuple[int, int]
) -> Tensor:
    """Every image turned, scaled, put anywhere, among six 6x6 crops of other images.

    After the translated cluttered digits of Jaderberg et al., 2015, A.4, and their turned and
    scaled ones. Strength narrows everything towards `centred`.

    Args:
        images: (N, C, h, w).
        others: (M, C, h, w), where the crops are taken from.
        generator: of all that is random here.
        strength: 0 to 1.
        size: the canvas, (H, W) in pixels.
    """
    placement = draw_placement(images.shape, generator, strength, size)
    canvases = place(images, placement, size)
    return _clutter(canvases, others, generator, round(CROPS * strength))


def centred(
    images: Tensor, others: Tensor, generator: Generator, strength: float, size: tuple[int, int]
) -> Tensor:
    """Every image upright in the middle of its canvas, at its own size; nothing is random."""
    return place(images, draw_placement(images.shape, generator, 0.0, size), size)


def _clutter(canvases: Tensor, others: Tensor, generator: Generator, crops: int) -> Tensor:
    """Puts square crops of other images on each canvas; the lighter of the two shows."""
    count, _, height, width = canvases.shape
    rows, columns = others.shape[2:]
    draws = torch.rand(5, crops, count, generator=generator)
    room = torch.tensor(
        [len(others)] + [side - CROP_SIDE + 1 for side in (rows, columns, height, width)]
    )
    which, top, left, row, column = (draws * room[:, None, None]).long()  # (crops, N) each
    down, across = torch.arange(CROP_SIDE)[:, None], torch.arange(CROP_SIDE)[None, :]
    cut = others[
        which[..., None, None],
        :,
        top[..., None, None] + down,
        left[..., None, None] + across,
    ]  # (crops, N, 6, 6, C)
    image = torch.arange(count)[:, None, None]
    for crop in range(crops):
        y, x = row[crop][:, None, None] + down, column[crop][:, None, None] + across
        canvases[image, :, y, x] = torch.maximum(canvases[image, :, y, x], cut[crop])
    return canvases


DISTORTIONS: dict[str, Distortion] = {"scattered": scattered, "centred": centred}
