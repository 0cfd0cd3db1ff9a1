"""Images placed in a larger scene, whose background is made from the corners of other photos."""

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.placement import (
    PLACEMENT_DRAWS,
    PlacementRange,
    apply_placement,
    compute_placement,
)
from stnscope.models import grid

ANYWHERE = PlacementRange(scale=(0.4, 1.0), translated=True)
TILES = 2
"""Tiles of the background along each side."""
TILE_DRAWS = 3
CORNER = 0.25
"""Side of a photo's corner that a tile is enlarged from, as a fraction of the photo's: a subject in
the middle leaves it free."""
SOFT_EDGE = 0.84, 1.06
"""Distances at which an image begins to fade and has faded, in half sides, by that norm."""
EPSILON = 1e-2
"""Added to a tile's mean, which is 0 for a black one."""
EXPONENT = 4
"""Exponent of the norm by which an image's outline is a square with round corners."""


def _place_in_scene(
    images: Tensor, clutter_source: Tensor, draws: Tensor, strength: float, canvas: Canvas
) -> Tensor:
    placement = compute_placement(draws[:PLACEMENT_DRAWS], images.shape, strength, canvas, ANYWHERE)
    cover = 1 - strength * (1 - _outline(*images.shape[-2:]))
    layer = torch.cat([images * cover, cover.expand(len(images), -1, -1, -1)], dim=1)
    placed = apply_placement(layer, placement, Canvas(canvas.height, canvas.width))
    tiles = draws[PLACEMENT_DRAWS:].view(TILE_DRAWS, TILES * TILES, len(images))
    background = _draw_background(clutter_source, tiles, canvas, images.mean(dim=(1, 2, 3)))
    return placed[:, :-1] + background * (1 - placed[:, -1:])


def _outline(height: int, width: int) -> Tensor:
    """Return 1 inside an image and 0 in its corners, (1, 1, H, W), with a soft edge."""
    points = grid.pixel_centres(height, width).view(height, width, 2)
    distance = points.abs().pow(EXPONENT).sum(dim=2).pow(1 / EXPONENT)
    start, end = SOFT_EDGE
    return ((end - distance) / (end - start)).clamp(0, 1)[None, None]


def _draw_background(
    clutter_source: Tensor, draws: Tensor, canvas: Canvas, brightness: Tensor
) -> Tensor:
    """Draw backgrounds (N, C, H, W): tiles, each an enlarged corner of a photo, in equal light.

    Args:
        clutter_source: the photos, (M, C, h, w).
        draws: (3, tiles, N), uniform in [0, 1): the photo, and which of its corners.
        canvas: gives the size.
        brightness: the mean of each tile, (N,).
    """
    rows = torch.arange(canvas.height).tensor_split(TILES)
    columns = torch.arange(canvas.width).tensor_split(TILES)
    sizes = [(len(row), len(column)) for row in rows for column in columns]
    tiles = [
        _light(_enlarge_corner(clutter_source, tile_draws, size), brightness)
        for tile_draws, size in zip(draws.unbind(1), sizes, strict=True)
    ]
    return torch.cat(
        [torch.cat(tiles[row * TILES : (row + 1) * TILES], dim=3) for row in range(TILES)], dim=2
    )


def _enlarge_corner(clutter_source: Tensor, draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Return corners of photos, enlarged to (N, C, *size)."""
    photos = clutter_source[(draws[0] * len(clutter_source)).long()]
    if photos.dtype == torch.uint8:
        photos = photos.float() / 255
    towards = (draws[1:].T > 0.5).float() * 2 - 1  # (N, 2): left or right, top or bottom
    points = towards[:, None] * (1 - CORNER) + grid.pixel_centres(*size) * CORNER
    return grid.sample(photos, points.view(-1, *size, 2), padding="border")


def _light(tiles: Tensor, brightness: Tensor) -> Tensor:
    """Scale the values of tiles to a mean, within [0, 1]."""
    factor = brightness / (tiles.mean(dim=(1, 2, 3)) + EPSILON)
    return (tiles * factor[:, None, None, None]).clamp(0, 1)


scene = Distortion(PLACEMENT_DRAWS, TILE_DRAWS * TILES * TILES, _place_in_scene)
"""Place images at random, scaled by 0.4 to 1, on enlarged corners of other photos. Strength 0 is
the image itself. On a path the images move and the background stays."""
