"""Data sets whose images are composed of several digits: rows, numbers, and pairs to add.

Which digits are combined is drawn from a fixed seed, so that a data set is the same everywhere.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data.images import Images, as_floats

SEED = 84
MARGIN = 4
"""Pixels cropped from either side of a digit in `numbers`, so that digits are close together."""


def rows(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Compose rows of digits; `entry.labels` digits each."""

    def compose(images: Images, parts: Tensor) -> Images:
        return Images(images.pixels, images.labels[parts], parts)

    train_parts, held_out_parts = _draw_parts(entry, train, held_out, entry.labels)
    return compose(train, train_parts), compose(held_out, held_out_parts)


def pairs(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Compose pairs of digits, one in each channel, labelled with their sum."""

    def compose(images: Images, parts: Tensor) -> Images:
        sums = images.labels[parts].sum(dim=1)
        return Images(images.pixels, sums, parts, side_by_side=False)

    train_parts, held_out_parts = _draw_parts(entry, train, held_out, 2)
    return compose(train, train_parts), compose(held_out, held_out_parts)


def numbers(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Compose numbers of one to `entry.labels` digits, centred in the image.

    Labels are the digits from left to right, then the last class for each missing digit.
    """
    positions = entry.labels
    no_digit = len(entry.classes) - 1

    def compose(images: Images, parts: Tensor, lengths: Tensor) -> Images:
        position = torch.arange(positions)
        labels = torch.where(position < lengths, images.labels[parts], no_digit)
        # Index of the digit at each position of the image once the number is centred.
        index = position - (positions - lengths) // 2
        is_digit = (index >= 0) & (index < lengths)
        centred = parts.gather(1, index.clamp(0, positions - 1))
        size = (entry.height, entry.width // positions)
        cropped = as_floats(images.pixels[..., MARGIN:-MARGIN])
        resized = functional.interpolate(cropped, size, mode="bilinear", antialias=True)
        pixels = (resized * 255).round().byte().expand(-1, entry.channels, -1, -1)
        return Images(pixels, labels, torch.where(is_digit, centred, -1))

    generator = Generator().manual_seed(SEED + 1)
    train_parts, held_out_parts = _draw_parts(entry, train, held_out, positions)
    train_lengths, held_out_lengths = (
        torch.randint(1, positions + 1, (len(parts), 1), generator=generator)
        for parts in (train_parts, held_out_parts)
    )
    return (
        compose(train, train_parts, train_lengths),
        compose(held_out, held_out_parts, held_out_lengths),
    )


def _draw_parts(
    entry: DatasetEntry, train: Images, held_out: Images, count: int
) -> tuple[Tensor, Tensor]:
    """Draw which `count` digits each image consists of: indices (images, count)."""
    generator = Generator().manual_seed(SEED)
    return (
        torch.randint(len(train), (entry.images, count), generator=generator),
        torch.randint(len(held_out), (entry.held_out, count), generator=generator),
    )
