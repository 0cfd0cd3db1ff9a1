"""The four preprocessings of IDSIA's committee for traffic signs (Ciresan et al., 2012).

Nothing in them is random. They change the lightness and keep the hue; details that the paper does
not specify are ours. N images, C channels, H x W.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.catalog.canvas import Canvas
from stnscope.backend.experiment.distortions.distortion import Distortion
from stnscope.backend.experiment.distortions.placement import centre

SATURATED = 0.01
"""Share of the pixels that become black, and share that become white."""
BINS = 64
TILE = 6
"""Side of a tile in pixels."""
CLIP_LIMIT = 2.5
"""Maximum count of a bin in a tile, in multiples of the mean count."""
NARROW_SIGMA, WIDE_SIGMA = 0.7, 1.4
"""Standard deviations of the difference of Gaussians, in pixels."""
RADIUS = 2
"""Radius of both kernels in pixels: a window of 5x5."""
SIGMAS = 3.0
"""Standard deviations from the mean grey to black and to white."""
EPSILON = 1e-3


def _lightness(images: Tensor) -> Tensor:
    """Return the mean over the channels, (N, 1, H, W)."""
    return images.mean(dim=1, keepdim=True)


def _replace_lightness(images: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Scale images so that their lightness changes from `before` to `after`."""
    scaled: Tensor = images * (after / before.clamp(min=EPSILON))
    return scaled


def stretch_contrast(images: Tensor) -> Tensor:
    """Stretch the contrast from black to white, saturating 1% of the pixels at both ends."""
    light = _lightness(images).flatten(1)
    ends = torch.tensor([SATURATED, 1 - SATURATED])
    low, high = torch.quantile(light, ends, dim=1)[:, :, None, None, None]
    stretched: Tensor = (images - low) / (high - low).clamp(min=EPSILON)
    return stretched


def equalise_histogram(images: Tensor) -> Tensor:
    """Equalise the histogram of the lightness."""
    light = _lightness(images)
    bins = _to_bins(light).flatten(1)
    table = _cumulative(_histogram(bins[:, None]))[:, 0]
    return _replace_lightness(images, light, table.gather(1, bins).view_as(light))


def equalise_tiles(images: Tensor) -> Tensor:
    """Equalise histograms tile by tile (CLAHE): clipped, and interpolated between tiles."""
    light = _lightness(images)
    height, width = light.shape[-2:]
    tile_rows, tile_columns = -(-height // TILE), -(-width // TILE)
    padding = (0, tile_columns * TILE - width, 0, tile_rows * TILE - height)
    bins = _to_bins(functional.pad(light, padding, mode="replicate"))
    tiles = functional.unfold(bins.float(), TILE, stride=TILE).transpose(1, 2).long()
    counts = _histogram(tiles)
    mean_count = TILE**2 / BINS
    clipped = counts.clamp(max=CLIP_LIMIT * mean_count)
    table = _cumulative(clipped + (counts - clipped).sum(dim=2, keepdim=True) / BINS)
    blended = torch.zeros_like(light)
    rows, columns = _neighbours(height, tile_rows), _neighbours(width, tile_columns)
    pixel_bins = _to_bins(light).flatten(1)
    for row, row_weight in rows:
        for column, column_weight in columns:
            tile = (row[:, None] * tile_columns + column).flatten()
            mapped = table[:, tile].gather(2, pixel_bins[..., None]).view_as(light)
            blended += mapped * (row_weight[:, None] * column_weight)
    return _replace_lightness(images, light, blended)


def _neighbours(length: int, tiles: int) -> list[tuple[Tensor, Tensor]]:
    """Return, per pixel along a side, the two nearest tiles and their interpolation weights."""
    position = (torch.arange(length) + 0.5) / TILE - 0.5
    first = position.floor()
    weight = position - first
    return [
        (first.long().clamp(0, tiles - 1), 1 - weight),
        ((first.long() + 1).clamp(0, tiles - 1), weight),
    ]


def _to_bins(light: Tensor) -> Tensor:
    return (light * BINS).long().clamp(0, BINS - 1)


def _histogram(bins: Tensor) -> Tensor:
    """Count each bin: (N, T, pixels) -> (N, T, BINS)."""
    counts = torch.zeros(*bins.shape[:2], BINS)
    return counts.scatter_add_(2, bins, torch.ones(bins.shape))


def _cumulative(counts: Tensor) -> Tensor:
    """Return the cumulative distribution, (N, T, BINS) in [0, 1]."""
    return counts.cumsum(dim=2) / counts.sum(dim=2, keepdim=True)


def normalise_edges(images: Tensor) -> Tensor:
    """Extract edges by a difference of Gaussians, normalised, on grey."""
    ticks = torch.arange(-RADIUS, RADIUS + 1.0)
    lines = [
        torch.exp(-ticks.square() / (2 * deviation**2)) for deviation in (NARROW_SIGMA, WIDE_SIGMA)
    ]
    narrow, wide = (torch.outer(line, line) / line.sum() ** 2 for line in lines)
    channels = images.shape[1]
    window = (narrow - wide).expand(channels, 1, -1, -1)
    padded = functional.pad(images, [RADIUS] * 4, mode="replicate")
    edges = functional.conv2d(padded, window, groups=channels)
    deviation = edges.std(dim=(1, 2, 3), keepdim=True).clamp(min=EPSILON)
    return 0.5 + edges / (2 * SIGMAS * deviation)


def _preprocess(
    images: Tensor,
    clutter_source: Tensor,
    draws: Tensor,
    strength: float,
    canvas: Canvas,
    *,
    change: Callable[[Tensor], Tensor],
) -> Tensor:
    canvases = centre(images, clutter_source, draws, strength, canvas)
    return torch.lerp(canvases, change(canvases).clamp(0, 1), strength)


imadjust, histeq, adapthisteq, conorm = (
    Distortion(0, 0, partial(_preprocess, change=change))
    for change in (stretch_contrast, equalise_histogram, equalise_tiles, normalise_edges)
)
