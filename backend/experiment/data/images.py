"""Loaded data sets: images and labels as tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import DatasetEntry


@dataclass(frozen=True, eq=False)
class Images:
    """Images and their labels.

    An image is one entry of `pixels`, or is composed of several where `parts` is given.

    Letters: N images, M entries of `pixels`, C channels, T labels of an image, k parts of an image.
    """

    pixels: Tensor
    """(M, C, h, w), float32 in [0, 1] or uint8 from 0 to 255."""
    labels: Tensor
    """Indices of classes, int64 (N,) or (N, T)."""
    parts: Tensor | None = None
    """Indices into `pixels` of each image's parts, (N, k); -1 is a black part."""
    side_by_side: bool = True
    """Whether the parts are concatenated along the width; otherwise along the channels."""

    tracks: tuple[Tensor, ...] = ()
    """Indices of each track's images, in order of time; none if the data set has no tracks."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> Tensor:
        """Return the images of these indices (n,) as (n, C, h, w), float32 in [0, 1]."""
        if self.parts is None:
            return as_floats(self.pixels[indices])
        parts = self.parts[indices]
        pixels = as_floats(self.pixels[parts])  # (n, k, C, h, w)
        pixels = pixels * (parts >= 0)[:, :, None, None, None]
        if self.side_by_side:
            return pixels.permute(0, 2, 3, 1, 4).flatten(3)
        return pixels.flatten(1, 2)


def as_floats(pixels: Tensor) -> Tensor:
    """Return pixels as float32 in [0, 1]."""
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split into training images and held-out images."""

    entry: DatasetEntry
    """Its entry in the catalog, with the number of images loaded."""
    train: Images
    held_out: Images
