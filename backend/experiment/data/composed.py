"""Data sets whose images are made of several digits: rows and numbers to be read, pairs to add up.

Which digits come together is drawn from a seed that is fixed here, so that a data set is the same
everywhere.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data.images import Images, as_tones

SEED = 84


def rows(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Rows of as many digits as an image of the entry has labels."""

    def composed(images: Images, parts: Tensor) -> Images:
        return Images(images.pixels, images.labels[parts], parts)

    one, other = _chosen(entry, train, held_out, entry.labels)
    return composed(train, one), composed(held_out, other)


def pairs(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Two digits, each in a channel of its own, labelled with their sum."""

    def composed(images: Images, parts: Tensor) -> Images:
        sums = images.labels[parts].sum(dim=1)
        return Images(images.pixels, sums, parts, run_until_first_completes=False)

    one, other = _chosen(entry, train, held_out, 2)
    return composed(train, one), composed(held_out, other)


def numbers(entry: DatasetEntry, train: Images, held_out: Images) -> tuple[Images, Images]:
    """Numbers of one to so many digits as an image of the entry has labels, in its middle.

    Their digits are labelled from the left; a place without one has the last class.
    """
    places = entry.labels
    none = len(entry.classes) - 1

    def composed(images: Images, parts: Tensor, length: Tensor) -> Images:
        place = torch.arange(places)
        digits = images.labels[parts]
        labels = torch.where(place < length, digits, none)
        # From left to right a number's digits, moved to the middle.
        number = place - (places - length) // 2
        there = (number >= 0) & (number < length)
        moved = parts.gather(1, number.clamp(0, places - 1))
        size = (entry.height, entry.width // places)
        narrow = as_tones(images.pixels[..., MARGIN:-MARGIN])
        small = functional.interpolate(narrow, size, mode="bilinear", antialias=True)
        pixels = (small * 255).round().byte().expand(-1, entry.channels, -1, -1)
        return Images(pixels, labels, torch.where(there, moved, -1))

    draw = Generator().manual_seed(SEED + 1)
    one, other = _chosen(entry, train, held_out, places)
    lengths = [
        torch.randint(1, places + 1, (len(each), 1), generator=draw) for each in (one, other)
    ]
    return composed(train, one, lengths[0]), composed(held_out, other, lengths[1])


MARGIN = 4
"""Pixels at either side of a digit that are left away, so that digits stand close."""


def _chosen(
    entry: DatasetEntry, train: Images, held_out: Images, together: int
) -> tuple[Tensor, Tensor]:
    draw = Generator().manual_seed(SEED)
    return (
        torch.randint(len(train), (entry.images, together), generator=draw),
        torch.randint(len(held_out), (entry.held_out, together), generator=draw),
    )
