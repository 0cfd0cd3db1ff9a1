"""Convert image tensors and feature maps to pictures: uint8 with one channel or three.

N images, C channels, (H, W) their size.
"""

from torch import Tensor
from torch.nn import functional

from stnscope.backend.experiment.frames.frame import Array

MIN_RANGE = 1e-12
"""Minimum range of a map scaled to [0, 1]; a constant map becomes black."""


def to_picture(images: Tensor) -> Tensor:
    """Convert images (N, C, H, W) to one channel or three.

    Two channels become red and cyan, so that pixels set in both are white; more than three are
    averaged, as for a feature map.
    """
    channels = images.shape[1]
    if channels == 2:
        return images[:, [0, 1, 1]]
    return images if channels in (1, 3) else average_channels(images)


def average_channels(maps: Tensor) -> Tensor:
    """Average maps (N, C, H, W) over the channels; scale each to [0, 1] by its own range."""
    mean = maps.mean(dim=1, keepdim=True)
    low, high = mean.amin(dim=(2, 3), keepdim=True), mean.amax(dim=(2, 3), keepdim=True)
    return (mean - low) / (high - low).clamp(min=MIN_RANGE)


def to_uint8(images: Tensor) -> Array:
    """Convert images (N, C, H, W) in [0, 1] to (N, H, W, C) uint8, rounded to the nearest."""
    return (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()


def reduce(pictures: Tensor, side: int) -> Tensor:
    """Reduce pictures (N, C, H, W) so that no side is longer than `side` pixels."""
    height, width = pictures.shape[-2:]
    scale = min(1.0, side / max(height, width))
    if scale == 1.0:
        return pictures
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return functional.interpolate(pictures, size, mode="area")
