"""What is done to an image before the network sees it.

A distortion places images (N, C, h, w) on black canvases (N, C, H, W). All that is random in it are
uniform draws, a column of them an image, made beforehand from the generator that is passed in. So
the same image can be distorted again, and along a path. Conventions of `models.grid`.
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
CROP_DRAWS = 5

PLACEMENT_DRAWS = 4
LAPS = (1, 2, 2, 1)
"""How often turn, scale, place across and place down swing to and fro in one lap of a path."""


@dataclass(frozen=True, eq=False)
class Distortion:
    """One way to distort images.

    Attributes:
        moving: how many draws of an image decide how it lies; these can move along a path.
        standing: how many decide the rest.
        apply: takes images (N, C, h, w), other images (M, C, h, w), draws (moving + standing, N),
            a strength from 0 to 1 and the canvas, (H, W) in pixels; gives canvases (N, C, H, W).
    """

    moving: int
    standing: int
    apply: Callable[[Tensor, Tensor, Tensor, float, tuple[int, int]], Tensor]

    def draw(self, count: int, generator: Generator) -> Tensor:
        """Draws for `count` images, (moving + standing, count), uniform in [0, 1)."""
        return torch.rand(self.moving + self.standing, count, generator=generator)

    def travel(self, draws: Tensor, phase: float) -> Tensor:
        """The same draws, those that move at a place of their path.

        The path is smooth and closed, keeps within [0, 1] and begins, at phase 0, at `draws`.

        Args:
            draws: as of `draw`.
            phase: in laps.
        """
        laps = torch.tensor([LAPS[row % len(LAPS)] for row in range(self.moving)])[:, None]
        start = torch.asin(2 * draws[: self.moving] - 1)
        moved = 0.5 + 0.5 * torch.sin(start + 2 * math.pi * phase * laps)
        return torch.cat([moved, draws[self.moving :]])

    def __call__(
        self,
        images: Tensor,
        others: Tensor,
        generator: Generator,
        strength: float,
        size: tuple[int, int],
    ) -> Tensor:
        """Distorts images by new draws; arguments as of `apply`."""
        return self.apply(images, others, self.draw(len(images), generator), strength, size)


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


def placement_of(
    draws: Tensor, shape: torch.Size, strength: float, size: tuple[int, int]
) -> Placement:
    """How images of a shape (N, C, h, w) are scattered on canvases of `size`, (H, W).

    At full strength: a turn of up to 45 degrees either way, a scale of 0.7 to 1.2, a place
    anywhere that keeps the unturned image on the canvas. Strength 0 is the middle, upright.

    Args:
        draws: (4, N), uniform in [0, 1]: turn, scale, place across, place down.
    """
    height, width = shape[-2:]
    turn, growth, across, down = draws
    low, high = SCALE
    scale = 1 + (low + (high - low) * growth - 1) * strength
    canvas = torch.tensor([float(size[1]), float(size[0])])
    room = (canvas - scale[:, None] * torch.tensor([width, height])).clamp(min=0)
    shift = (torch.stack([across, down], dim=1) - 0.5) * room * strength
    return Placement((turn * 2 - 1) * ROTATION * strength, scale, canvas / 2 + shift)


def _scatter(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, size: tuple[int, int]
) -> Tensor:
    placement = placement_of(draws[:PLACEMENT_DRAWS], images.shape, strength, size)
    crops = draws[PLACEMENT_DRAWS:].view(CROP_DRAWS, CROPS, len(images))
    return _clutter(place(images, placement, size), others, crops[:, : round(CROPS * strength)])


def _centre(
    images: Tensor, others: Tensor, draws: Tensor, strength: float, size: tuple[int, int]
) -> Tensor:
    middle = torch.full((PLACEMENT_DRAWS, len(images)), 0.5)
    return place(images, placement_of(middle, images.shape, 0.0, size), size)


def _clutter(canvases: Tensor, others: Tensor, draws: Tensor) -> Tensor:
    """Puts square crops of other images on each canvas; the lighter of the two shows.

    Args:
        draws: (5, crops, N), uniform in [0, 1): which image, and from where to where.
    """
    _, _, height, width = canvases.shape
    rows, columns = others.shape[2:]
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
    image = torch.arange(len(canvases))[:, None, None]
    for crop, light in enumerate(cut):
        y, x = row[crop][:, None, None] + down, column[crop][:, None, None] + across
        canvases[image, :, y, x] = torch.maximum(canvases[image, :, y, x], light)
    return canvases


scattered = Distortion(PLACEMENT_DRAWS, CROP_DRAWS * CROPS, _scatter)
"""Every image turned, scaled, put anywhere, among six 6x6 crops of other images.

After the translated cluttered digits of Jaderberg et al., 2015, A.4, and their turned and scaled
ones. Strength narrows everything towards `centred`. On a path the images move, the crops stay.
"""

centred = Distortion(0, 0, _centre)
"""Every image upright in the middle of its canvas, at its own size; nothing is random."""

DISTORTIONS = {"scattered": scattered, "centred": centred}
