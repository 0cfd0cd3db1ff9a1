"""Load data sets by name, as tensors, split into training images and held-out images."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from stnscope.backend.experiment.catalog import DatasetEntry
from stnscope.backend.experiment.data import (
    availability,
    composed,
    digit_images,
    sign_images,
)
from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.images import Dataset, Images
from stnscope.backend.experiment.data.layouts import stored_images
from stnscope.backend.experiment.data.layouts.stored_images import Pixels, Size
from stnscope.backend.experiment.data.registry import DEFINITIONS, SOURCES
from stnscope.backend.experiment.data.source import Arrays, ArraySplit
from stnscope.backend.experiment.pictures.decode import Picture, decode
from stnscope.backend.experiment.pictures.fit import fit

ImageSplit = tuple[Images, Images]
"""Training images and held-out images, as tensors."""

BUNDLED: Mapping[str, Callable[[], ImageSplit]] = {
    "digits": digit_images.load,
    "signs": sign_images.load,
}
"""Images that are part of the program."""

COMPOSITIONS: Mapping[str, Callable[[DatasetEntry, Images, Images], ImageSplit]] = {
    "rows": composed.rows,
    "pairs": composed.pairs,
    "numbers": composed.numbers,
}
"""How images are composed of several."""


def load(name: str, data: Path | None = None) -> Dataset:
    """Load a data set.

    Args:
        name: a name in the catalog, or of one in the data folder.
        data: the data folder; not needed for data sets that are part of the program.

    Raises:
        InvalidInput: there is none of that name; the text lists those that exist.
        DatasetError: it is not available or damaged; names the file and what is wrong.
    """
    entry = availability.find_dataset(name, data)
    definition = DEFINITIONS.get(name)
    if definition is not None and definition.images is not None:
        train, held_out = BUNDLED[definition.images]()
    else:
        assert data is not None, "find_dataset finds files only in a data folder"
        with raising_dataset_errors(entry.title):
            train, held_out = (_to_images(arrays) for arrays in _read_files(entry, data))
    if definition is not None and definition.composition is not None:
        train, held_out = COMPOSITIONS[definition.composition](entry, train, held_out)
    return Dataset(replace(entry, images=len(train), held_out=len(held_out)), train, held_out)


def _read_files(entry: DatasetEntry, data: Path) -> ArraySplit:
    if entry.name in SOURCES:
        source = SOURCES[entry.name]
        return source.load(source.path(data))
    found = availability.find_stored(entry.name, data)
    return stored_images.load(found.entry, found.images, found.folder, _ImageReader())


class _ImageReader:
    """Decodes and fits images as uploaded pictures are."""

    def decode(self, data: bytes, size: Size, channels: int) -> Pixels:
        return self._fit(decode(data), size, channels)

    def fit(self, pixels: Pixels, size: Size, channels: int) -> Pixels:
        if pixels.shape == size and channels == 1:
            return pixels[..., None]
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        elif pixels.shape == (*size, channels):
            return pixels
        picture = Picture(np.ascontiguousarray(pixels), pixels.shape[1::-1])
        return self._fit(picture, size, channels)

    def _fit(self, picture: Picture, size: Size, channels: int) -> Pixels:
        fitted = fit(picture, size, channels, light_on_dark=False)
        return (fitted.image * 255).round().astype(np.uint8)


def _to_images(arrays: Arrays) -> Images:
    tracks = tuple(torch.from_numpy(track) for track in arrays.tracks)
    return Images(torch.from_numpy(arrays.pixels), torch.from_numpy(arrays.labels), tracks=tracks)
