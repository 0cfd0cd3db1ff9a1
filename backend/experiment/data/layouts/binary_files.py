"""Binary files of CIFAR-10, CIFAR-100 and STL10: records of bytes. Without torch."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.file_tree import FileState
from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.stored_images import (
    ImageReader,
    Labels,
    Mask,
    Open,
    Pixels,
    Size,
    StoredImages,
    check_labels,
    held_out_mask,
)
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.limits import MAX_DATASET_BYTES

MAX_NAMES_BYTES = 64_000
"""Maximum of a file with the classes' names."""
RECORDS = 512
"""Records that are read at a time."""


@dataclass(frozen=True)
class _Binary:
    """How a data set's files are laid out."""

    title: str
    train: str
    """A pattern of the names of the files with training images."""
    held_out: str
    names: str
    """The file with the classes' names, one in a line."""
    side: int
    """Height and width of an image in pixels."""
    label_bytes: int
    """Before an image, the class last; 0 if labels have a file of their own."""
    first_label: int = 0
    by_columns: bool = False
    """Whether an image is stored column by column."""

    def labels_of(self, images: Path) -> Path:
        """Return the file with the labels of a file of images."""
        return images if self.label_bytes else images.with_name(images.name.replace("_X", "_y"))


FORMATS = (
    _Binary("CIFAR-10", r"data_batch_\d+\.bin", r"test_batch\.bin", "batches.meta.txt", 32, 1),
    _Binary("CIFAR-100", r"train\.bin", r"test\.bin", "fine_label_names.txt", 32, 2),
    _Binary("STL10", r"train_X\.bin", r"test_X\.bin", "class_names.txt", 96, 0, 1, True),
)
"""By www.cs.toronto.edu/~kriz/cifar.html and cs.stanford.edu/~acoates/stl10."""

Parts = tuple[tuple[Path, ...], ...]


def find(listing: Listing) -> dict[str, Open]:
    """Return how to open the data set whose training images and names are in the folder."""
    for each in FORMATS:
        train, held_out = (
            tuple(listing.path(file) for file in listing.files if re.fullmatch(pattern, file))
            for pattern in (each.train, each.held_out)
        )
        if train and each.names in listing.files:
            parts = (train, held_out) if held_out else (train,)
            return {"": partial(_open, listing, each, parts)}
    return {}


def _open(listing: Listing, layout: _Binary, parts: Parts) -> StoredImages:
    images = [file for part in parts for file in part]
    files = {*images, *(layout.labels_of(file) for file in images), listing.path(layout.names)}
    states = tuple(listing.state(file.name) for file in sorted(files))
    classes, labels = _inspect(layout, listing.path(layout.names), parts, states)
    counts = [len(each) for each in labels]
    mask = held_out_mask(counts)
    held_out = int(mask.sum())

    def read_labels() -> tuple[Labels, Mask]:
        return np.concatenate(labels), mask

    def read_pixels(reader: ImageReader, size: Size, channels: int) -> Iterator[Pixels]:
        for file in images:
            for record in _read_records(layout, file):
                planes = record[layout.label_bytes :].reshape(3, layout.side, layout.side)
                order = (2, 1, 0) if layout.by_columns else (1, 2, 0)
                yield reader.fit(planes.transpose(order), size, channels)

    return StoredImages(
        classes,
        (len(mask) - held_out, held_out),
        f"{layout.title}: {len(mask) - held_out:,} images of {layout.side}x{layout.side} pixels in "
        f"binary files, and {held_out:,} held out.",
        repr(states),
        read_labels,
        read_pixels,
    )


@lru_cache(maxsize=16)
def _inspect(
    layout: _Binary, names: Path, parts: Parts, states: tuple[FileState, ...]
) -> tuple[tuple[str, ...], Sequence[Labels]]:
    """Read the classes' names and the labels; the states detect changes."""
    with raising_dataset_errors(names.name), names.open("rb") as content:
        lines = content.read(MAX_NAMES_BYTES).decode().splitlines()
    classes = tuple(line.strip() for line in lines if line.strip())
    labels = []
    for part in parts:
        read = [_read_labels(layout, file) for file in part]
        for file, each in zip(part, read, strict=True):
            check_labels(f"{layout.labels_of(file).name}: label", each, classes)
        labels.append(np.concatenate(read))
    return classes, labels


def _read_labels(layout: _Binary, images: Path) -> Labels:
    count = _count_records(layout, images)
    if layout.label_bytes:
        found = [record[layout.label_bytes - 1] for record in _read_records(layout, images)]
        return np.array(found, dtype=np.int64)
    path = layout.labels_of(images)
    with raising_dataset_errors(path.name), path.open("rb") as file:
        data = file.read(count + 1)
    if len(data) != count:
        raise DatasetError(f"{path.name} should hold {count:,} labels. Get it again.")
    return np.frombuffer(data, np.uint8).astype(np.int64) - layout.first_label


def _record_bytes(layout: _Binary) -> int:
    return layout.label_bytes + 3 * layout.side**2


def _count_records(layout: _Binary, images: Path) -> int:
    with raising_dataset_errors(images.name):
        size = images.stat().st_size
    count, rest = divmod(size, _record_bytes(layout))
    if rest or not count:
        raise DatasetError(
            f"{images.name} has {size:,} bytes, which are not whole images of "
            f"{_record_bytes(layout):,} bytes each. Get it again."
        )
    if size > MAX_DATASET_BYTES:
        raise DatasetError(
            f"{images.name} has {size:,} bytes; at most {MAX_DATASET_BYTES:,} are read."
        )
    return count


def _read_records(layout: _Binary, images: Path) -> Iterator[Pixels]:
    size = _record_bytes(layout)
    with raising_dataset_errors(images.name), images.open("rb") as file:
        while data := file.read(RECORDS * size):
            yield from np.frombuffer(data, np.uint8).reshape(-1, size)
