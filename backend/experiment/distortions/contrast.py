"""The four ways in which IDSIA's committee saw signs besides as they are (Ciresan et al., 2012).

Nothing is random in them. Tones are changed by their lightness, so that colours stay what they are;
details that the paper leaves open are ours. N images, C channels, H x W.
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
"""Share of the pixels that become black, and of those that become white."""
BINS = 64
TILE = 6
"""Side of a tile in pixels."""
CLIP = 2.5
"""How many times its even share a tone may have in a tile."""
NARROW, WIDE = 0.7, 1.4
"""Standard deviations of the two Gaussians whose difference is taken, in pixels."""
REACH = 2
"""Of both, to each side in pixels: a window of 5x5."""
SPREAD = 3.0
"""Deviations from the mean that lie between black and white."""
DARK = 1e-3


def _lightness(images: Tensor) -> Tensor:
    """(N, 1, H, W)."""
    return images.mean(dim=1, keepdim=True)


def _relit(images: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Images whose lightness goes from one to the other."""
    relit: Tensor = images * (after / before.clamp(min=DARK))
    return relit


def stretched(images: Tensor) -> Tensor:
    """Contrast from black to white, but for a hundredth at both ends."""
    light = _lightness(images).flatten(1)
    ends = torch.tensor([SATURATED, 1 - SATURATED])
    low, high = torch.quantile(light, ends, dim=1)[:, :, None, None, None]
    ranged: Tensor = (images - low) / (high - low).clamp(min=DARK)
    return ranged


def equalised(images: Tensor) -> Tensor:
    """Every tone as frequent as any other."""
    light = _lightness(images)
    bins = _binned(light).flatten(1)
    table = _cumulated(_counted(bins[:, None]))[:, 0]
    return _relit(images, light, table.gather(1, bins).view_as(light))


def equalised_by_tiles(images: Tensor) -> Tensor:
    """The same tile by tile, blended from one tile to the next, and limited in each."""
    light = _lightness(images)
    height, width = light.shape[-2:]
    down, across = -(-height // TILE), -(-width // TILE)
    padding = (0, across * TILE - width, 0, down * TILE - height)
    bins = _binned(functional.pad(light, padding, mode="replicate"))
    tiles = functional.unfold(bins.float(), TILE, stride=TILE).transpose(1, 2).long()
    counts = _counted(tiles)
    even = TILE**2 / BINS
    clipped = counts.clamp(max=CLIP * even)
    table = _cumulated(clipped + (counts - clipped).sum(dim=2, keepdim=True) / BINS)
    blended = torch.zeros_like(light)
    rows, columns = _neighbours(height, down), _neighbours(width, across)
    own = _binned(light).flatten(1)
    for row, row_share in rows:
        for column, column_share in columns:
            tile = (row[:, None] * across + column).flatten()
            seen = table[:, tile].gather(2, own[..., None]).view_as(light)
            blended += seen * (row_share[:, None] * column_share)
    return _relit(images, light, blended)


def _neighbours(length: int, tiles: int) -> list[tuple[Tensor, Tensor]]:
    """For each pixel along a side the two tiles whose middles it lies between, and their shares."""
    place = (torch.arange(length) + 0.5) / TILE - 0.5
    first = place.floor()
    share = place - first
    return [
        (first.long().clamp(0, tiles - 1), 1 - share),
        ((first.long() + 1).clamp(0, tiles - 1), share),
    ]


def _binned(light: Tensor) -> Tensor:
    return (light * BINS).long().clamp(0, BINS - 1)


def _counted(bins: Tensor) -> Tensor:
    """How often each tone occurs, (N, T, BINS) of (N, T, pixels)."""
    counts = torch.zeros(*bins.shape[:2], BINS)
    return counts.scatter_add_(2, bins, torch.ones(bins.shape))


def _cumulated(counts: Tensor) -> Tensor:
    """What each tone becomes, (N, T, BINS) in [0, 1]."""
    return counts.cumsum(dim=2) / counts.sum(dim=2, keepdim=True)


def edged(images: Tensor) -> Tensor:
    """Edges alone, on grey: the difference of two Gaussians, by its own deviation."""
    ticks = torch.arange(-REACH, REACH + 1.0)
    lines = [torch.exp(-ticks.square() / (2 * deviation**2)) for deviation in (NARROW, WIDE)]
    narrow, wide = (torch.outer(line, line) / line.sum() ** 2 for line in lines)
    channels = images.shape[1]
    window = (narrow - wide).expand(channels, 1, -1, -1)
    padded = functional.pad(images, [REACH] * 4, mode="replicate")
    edges = functional.conv2d(padded, window, groups=channels)
    deviation = edges.std(dim=(1, 2, 3), keepdim=True).clamp(min=DARK)
    return 0.5 + edges / (2 * SPREAD * deviation)


def _tone(
    images: Tensor,
    others: Tensor,
    draws: Tensor,
    strength: float,
    canvas: Canvas,
    *,
    change: Callable[[Tensor], Tensor],
) -> Tensor:
    canvases = centre(images, others, draws, strength, canvas)
    return torch.lerp(canvases, change(canvases).clamp(0, 1), strength)


imadjust, histeq, adapthisteq, conorm = (
    Distortion(0, 0, partial(_tone, change=change))
    for change in (stretched, equalised, equalised_by_tiles, edged)
)
