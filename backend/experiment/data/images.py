"""What every data set is once it is loaded."""

from dataclasses import dataclass

import torch
from torch import Tensor

from stnscope.backend.experiment.catalog import DatasetEntry


@dataclass(frozen=True, eq=False)
class Images:
    """Images and what each shows.

    Letters: N images, C channels, T places that are labelled, M pieces that images are made of.
    """

    pixels: Tensor
    """(M, C, h, w), float32 in [0, 1] or uint8 from 0 to 255; each an image, unless there are
    `parts`."""
    labels: Tensor
    """int64 that index the classes, (N,) or (N, T)."""
    parts: Tensor | None = None
    """Which k pieces each image is made of, (N, k); -1 is an empty one."""
    run_until_first_completes: bool = True
    """Whether its pieces stand beside each other; else each is a channel of its own."""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Tensor) -> Tensor:
        """Images by their numbers (n,), as (n, C, h, w) float32 in [0, 1]."""
        if self.parts is None:
            return as_tones(self.pixels[chosen])
        parts = self.parts[chosen]
        pieces = as_tones(self.pixels[parts])  # (n, k, C, h, w)
        pieces = pieces * (parts >= 0)[:, :, None, None, None]
        if self.run_until_first_completes:
            return pieces.permute(0, 2, 3, 1, 4).flatten(3)
        return pieces.flatten(1, 2)


def as_tones(pixels: Tensor) -> Tensor:
    """Pixels as float32 in [0, 1]."""
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images to train on, and images that never are."""

    entry: DatasetEntry
    """What the catalog says of it, its images counted."""
    train: Images
    held_out: Images
