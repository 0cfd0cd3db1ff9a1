"""Labelled images in a folder, in whatever layout, before they are decoded. Without torch.

Each layout is a module of this package that finds its files and makes `StoredImages` of them; the
catalog's entry, the limits, the cache and the arrays are made here, for all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog import ARCHITECTURES, DatasetEntry, fits
from stnscope.backend.experiment.data.data_errors import explain
from stnscope.backend.experiment.data.decoded_cache import cached
from stnscope.backend.experiment.data.source import Arrays, ArraySplit, Counts
from stnscope.backend.experiment.errors import DatasetError, StnscopeError
from stnscope.backend.experiment.limits import MAX_CLASSES, MAX_DATASET_BYTES
from stnscope.backend.experiment.os_errors import display_name

IMAGES_PER_HELD_OUT = 5
"""One in this many images is held out where no part is the held-out one."""
MIN_IMAGES = 10
"""Images that a data set's class needs, on average or, in a folder of its own, each."""
MAX_REPEATED = 20_000
"""Training images up to which an epoch shows each of them several times."""
MIN_CACHED = 2_000
"""Images from which on decoded ones are kept in a file; fewer are decoded in a second or two."""
MAX_CLASS_NAME = 200
"""Characters of a class's name; the longest of ImageNet's have 121."""

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool]
Size = tuple[int, int]
"""(height, width)."""


class ImageReader(Protocol):
    """Makes images of one size; the only implementation is in `load`, which decodes."""

    def decode(self, data: bytes, size: Size, channels: int) -> Pixels:
        """Decode an image file and fit it; return (H, W, C).

        Raises:
            PictureError, TooLarge: as `pictures.decode.decode`.
        """
        ...

    def fit(self, pixels: Pixels, size: Size, channels: int) -> Pixels:
        """Fit pixels (h, w) or (h, w, 3); return (H, W, C)."""
        ...


Open = Callable[[], "StoredImages"]
"""Reads what a data set needs to be described; raises DatasetError if it cannot be used."""
ReadPixels = Callable[[ImageReader, Size, int], Iterator[Pixels]]
"""Yields all images, fitted to a size and a number of channels, (H, W, C)."""

COLOUR = DatasetEntry(
    "image-folder",
    "Image folder",
    "",
    classes=(),
    channels=3,
    height=48,
    width=48,
    images=0,
    held_out=0,
    repeats=4,
    source="Provided by the user.",
    licence="Set by the user.",
    architecture="signs",
    distortion="centred",
    padding="border",
)
"""What data sets in the data folder have in common; `describe` fills in the rest."""
GREY = replace(
    COLOUR,
    channels=1,
    height=28,
    width=28,
    repeats=1,
    architecture="paper-st-cnn",
    distortion="RTS",
    padding=0.0,
)
"""The same of light strokes on black, as MNIST has, where networks for them fit."""


@dataclass(frozen=True, eq=False)
class StoredImages:
    """Labelled images in files, in order: `read_labels` and `read_pixels` have the same."""

    classes: tuple[str, ...]
    counts: Counts
    """Training images and held-out images."""
    description: str
    """What they are, as sentences."""
    fingerprint: str
    """What differs as soon as a file has changed."""
    read_labels: Callable[[], tuple[Labels, Mask]]
    """Returns the classes' indices, and which images are held out."""
    read_pixels: ReadPixels
    light_on_black: bool = False
    """Whether they are grey, with light strokes on black."""


def describe(images: StoredImages, name: str, folder: Path) -> DatasetEntry:
    """Return the catalog's entry for images in a folder.

    Raises:
        DatasetError: there are too many or too few of them, or of their classes.
    """
    _check_classes(name, images.classes)
    train, held_out = images.counts
    entry = replace(
        _template_of(images),
        name=name,
        title=name,
        description=images.description,
        classes=images.classes,
        images=train,
        held_out=held_out,
        instructions=f"It is read from {display_name(folder)}.",
    )
    if train + held_out < 2 * MIN_IMAGES or held_out < 1:
        raise DatasetError(
            f"{name} has {train + held_out:,} images; at least {2 * MIN_IMAGES} are needed."
        )
    limit = MAX_DATASET_BYTES // (entry.channels * entry.height * entry.width)
    if train + held_out > limit:
        raise DatasetError(
            f"{name} has {train + held_out:,} images; at most {limit:,} of "
            f"{entry.width}x{entry.height} pixels are read. Use a part of them."
        )
    return entry


def _template_of(images: StoredImages) -> DatasetEntry:
    """Return what the images have in common with others of their kind."""
    if images.light_on_black:
        grey = replace(GREY, classes=images.classes)
        if any(fits(network, grey) for network in ARCHITECTURES.values()):
            return GREY
    return COLOUR if images.counts[0] <= MAX_REPEATED else replace(COLOUR, repeats=1)


def _check_classes(name: str, classes: Sequence[str]) -> None:
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise DatasetError(
            f"{name} has {len(classes):,} classes; from 2 to {MAX_CLASSES:,} are read."
        )
    for text in classes:
        if not text or len(text) > MAX_CLASS_NAME or display_name(text) != text:
            shown = display_name(text[:20])
            raise DatasetError(
                f"{name} has a class called {shown!r}; a name has from 1 to {MAX_CLASS_NAME} "
                "characters of Unicode."
            )


def check_labels(title: str, labels: NDArray[np.integer[Any]], classes: Sequence[str]) -> None:
    """Check that labels are indices of classes.

    Args:
        title: of a label, the beginning of an error's text.
        labels: (N,).
        classes: their names.

    Raises:
        DatasetError: one is not.
    """
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if wrong.size:
        raise DatasetError(
            f"{title} {wrong[0]} is {labels[wrong[0]]}, and there are {len(classes)} classes."
        )


def load(
    entry: DatasetEntry, images: StoredImages, folder: Path, reader: ImageReader
) -> ArraySplit:
    """Read all images of a data set.

    Args:
        entry: its entry in the catalog; images get its size and number of channels.
        images: as they were found.
        folder: where decoded images are kept.
        reader: decodes and fits them.

    Raises:
        DatasetError: an image cannot be read, or the files have just changed; names it.
    """
    labels, is_held_out = images.read_labels()
    if (int((~is_held_out).sum()), int(is_held_out.sum())) != images.counts:
        raise _changed(entry.name)
    size = entry.height, entry.width

    def decode() -> Pixels:
        pixels = np.empty((len(labels), *size, entry.channels), dtype=np.uint8)
        count = 0
        for image in images.read_pixels(reader, size, entry.channels):
            if count == len(pixels):
                raise _changed(entry.name)
            pixels[count] = image
            count += 1
        if count < len(pixels):
            raise _changed(entry.name)
        return pixels

    if len(labels) < MIN_CACHED:
        pixels = decode()
    else:
        cache = folder / f".decoded-{entry.name}-{entry.width}x{entry.height}x{entry.channels}"
        pixels = cached(cache, images.fingerprint, decode)
    return _take(pixels, labels, ~is_held_out), _take(pixels, labels, is_held_out)


def _take(pixels: Pixels, labels: Labels, mask: Mask) -> Arrays:
    """Return the images of a mask; those that are in sequence without a copy."""
    indices = np.flatnonzero(mask)
    first, last = int(indices[0]), int(indices[-1]) + 1
    chosen: slice | Mask = slice(first, last) if last - first == len(indices) else mask
    return Arrays(pixels[chosen].transpose(0, 3, 1, 2), labels[chosen])


def _changed(name: str) -> DatasetError:
    return DatasetError(f"{name} has just changed. Try again.")


def hold_out_every_fifth(count: int) -> Mask:
    """Return a mask of every fifth of so many images."""
    mask: Mask = np.arange(count) % IMAGES_PER_HELD_OUT == IMAGES_PER_HELD_OUT - 1
    return mask


def count_parts(counts: Sequence[int]) -> Counts:
    """Return the numbers of training and held-out images of a data set in one or two parts."""
    if len(counts) > 1:
        return counts[0], counts[1]
    held_out = counts[0] // IMAGES_PER_HELD_OUT
    return counts[0] - held_out, held_out


def held_out_mask(counts: Sequence[int]) -> Mask:
    """Return which images are held out of a data set in one or two parts."""
    if len(counts) > 1:
        return np.repeat([False, True], counts)
    return hold_out_every_fifth(counts[0])


@contextmanager
def naming_image(name: str) -> Iterator[None]:
    """Name the image in what is raised while it is read.

    Raises:
        DatasetError: it cannot be used, and why.
    """
    try:
        yield
    except DatasetError:
        raise
    except StnscopeError as error:
        raise DatasetError(f"{display_name(name)} cannot be used. {error}") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{display_name(name)} cannot be used: {explain(error)}.") from error
