"""Idx files as torchvision stores them: `MNIST`, `FashionMNIST`, `KMNIST`, `EMNIST` and `QMNIST`.

They are in a folder or in its folder `raw`, gzipped or not, and are recognised by their names:
`[DATASET-][VARIANT-](train|t10k|test)-(images|labels)-idx3-ubyte`. Without torch.
"""

import gzip
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import BinaryIO, cast

import numpy as np

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.file_tree import FileState
from stnscope.backend.experiment.data.idx_format import Shape, read_header
from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.splits import PARTS, Part, find_part
from stnscope.backend.experiment.data.layouts.stored_images import (
    ImageReader,
    Labels,
    Mask,
    Open,
    Pixels,
    Size,
    StoredImages,
    check_labels,
    count_parts,
    held_out_mask,
)
from stnscope.backend.experiment.errors import DatasetError
from stnscope.backend.experiment.limits import MAX_CLASSES, MAX_DATASET_BYTES

FILE_NAME = re.compile(
    r"(?:(?P<folder>[^/]+)/)?(?P<prefix>[^/]*?)-?(?P<kind>images|labels)[-._]idx\d[-._]"
    r"(?:ubyte|int)(?:\.gz)?",
    re.IGNORECASE,
)
MAX_SIDE = 512
"""Maximum height and width of an image in pixels."""
CHUNK_BYTES = 1 << 20
DATASET_WORDS = frozenset({"emnist", "qmnist", "kmnist"})

_BALANCED = [*digits, *ascii_uppercase, *"abdefghnqrt"]
CLASSES: Mapping[str, Sequence[str]] = {
    "fashion": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "byclass": [*digits, *ascii_uppercase, *ascii_lowercase],
    "bymerge": _BALANCED,
    "balanced": _BALANCED,
    "letters": [*ascii_lowercase],
}
"""Classes by a word in the path; those of other data sets are numbers.

Those of EMNIST are by Cohen et al., EMNIST: an extension of MNIST to handwritten letters, 2017.
"""


@dataclass(frozen=True)
class _PartFiles:
    """The two files of a part."""

    images: Path
    labels: Path


@dataclass(frozen=True)
class _Inspected:
    """What the files of a data set have."""

    shapes: tuple[Shape, ...]
    """(N, H, W) of each part's images."""
    labels: tuple[Labels, ...]
    classes: tuple[str, ...]


def find(listing: Listing) -> dict[str, Open]:
    """Return how to open the data sets whose files of images and labels are in the folder."""
    files: dict[tuple[str, Part, str], Path] = {}
    for path in sorted(listing.files, key=lambda file: (file.endswith(".gz"), file)):
        match = FILE_NAME.fullmatch(path)
        # Some programs unpack each file into a folder of its own name.
        if match is None or (match["folder"] not in (None, "raw", Path(path).name)):
            continue
        words = [word for word in match["prefix"].lower().split("-") if word not in DATASET_WORDS]
        variant = "-".join(word for word in words if find_part(word) is None)
        key = variant, find_part(match["prefix"]) or "train", match["kind"].lower()
        files.setdefault(key, listing.path(path))
    parts: dict[str, dict[Part, _PartFiles]] = {}
    for variant, part, kind in files:
        images, labels = (files.get((variant, part, each)) for each in ("images", "labels"))
        if kind == "images" and images and labels:
            parts.setdefault(variant, {})[part] = _PartFiles(images, labels)
    return {
        variant: partial(_open, listing, variant, found)
        for variant, found in parts.items()
        if "train" in found
    }


def _open(listing: Listing, variant: str, found: Mapping[Part, _PartFiles]) -> StoredImages:
    other = next((found[part] for part in PARTS[1:] if part in found), None)
    parts = (found["train"], other) if other else (found["train"],)
    files = [file for part in parts for file in (part.images, part.labels)]
    states = tuple(listing.state(str(file.relative_to(listing.folder))) for file in files)
    words = "/".join((*listing.folder.parts[-2:], files[0].name)).lower()
    names = next((CLASSES[word] for word in CLASSES if word in words), None)
    inspected = _inspect(parts, states, tuple(names) if names else None)
    counts = [len(labels) for labels in inspected.labels]
    is_transposed = "emnist" in words  # as NIST's files are
    train, held_out = count_parts(counts)
    height, width = inspected.shapes[0][1:]

    def read_labels() -> tuple[Labels, Mask]:
        return np.concatenate(inspected.labels), held_out_mask(counts)

    def read_pixels(reader: ImageReader, size: Size, channels: int) -> Iterator[Pixels]:
        for part in parts:
            for image in _read_images(part.images):
                yield reader.fit(image.T if is_transposed else image, size, channels)

    return StoredImages(
        inspected.classes,
        (train, held_out),
        f"{train:,} images of {width}x{height} pixels in idx files, and {held_out:,} held out.",
        repr(states),
        read_labels,
        read_pixels,
        light_on_black=True,
    )


@lru_cache(maxsize=32)
def _inspect(
    parts: tuple[_PartFiles, ...], states: tuple[FileState, ...], names: tuple[str, ...] | None
) -> _Inspected:
    """Read the labels and check that the images are complete; the states detect changes."""
    shapes = tuple(_check_images(part.images) for part in parts)
    labels = tuple(_read_labels(part.labels) for part in parts)
    for part, shape, each in zip(parts, shapes, labels, strict=True):
        if shape[0] != len(each):
            raise DatasetError(
                f"{part.images.name} has {shape[0]:,} images, and {part.labels.name} has "
                f"{len(each):,} labels."
            )
    largest = max(int(each.max()) for each in labels)
    if names is not None and largest == len(names) and min(each.min() for each in labels) == 1:
        labels = tuple(each - 1 for each in labels)  # EMNIST's letters are from 1 to 26
    classes = names or tuple(str(number) for number in range(min(largest, MAX_CLASSES) + 1))
    for part, each in zip(parts, labels, strict=True):
        check_labels(f"{part.labels.name}: label", each, classes)
    return _Inspected(shapes, labels, classes)


@contextmanager
def _open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading its unpacked content."""
    with raising_dataset_errors(path.name), ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        # By content, since browsers unpack files without renaming them.
        if file.peek(2)[:2] == b"\x1f\x8b":
            yield cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=file)))
        else:
            yield file


def _check_images(path: Path) -> Shape:
    """Return the shape of a file of images, after checking that it has all of them."""
    with _open_file(path) as file:
        item_bytes, shape = read_header(path.name, file)
        size = item_bytes * math.prod(shape)
        if (
            item_bytes != 1
            or len(shape) != 3
            or not all(1 <= side <= MAX_SIDE for side in shape[1:])
        ):
            raise DatasetError(
                f"{path.name} holds {shape}; (images, height, width) in bytes is read, with sides "
                f"of up to {MAX_SIDE} pixels."
            )
        if size > MAX_DATASET_BYTES:
            raise DatasetError(
                f"{path.name} declares {size:,} bytes; at most {MAX_DATASET_BYTES:,} are read."
            )
        count = 0
        while count <= size and (chunk := file.read(CHUNK_BYTES)):
            count += len(chunk)
        _check_length(path, count, size)
        return shape


def _check_length(path: Path, count: int, expected: int) -> None:
    if count != expected:
        raise DatasetError(
            f"{path.name} should hold {expected:,} bytes after its header, and holds "
            f"{'more' if count > expected else f'{count:,}'}. Get it again."
        )


def _read_labels(path: Path) -> Labels:
    """Return the classes' indices; QMNIST has them in the first of eight columns."""
    with _open_file(path) as file:
        item_bytes, shape = read_header(path.name, file)
        size = item_bytes * math.prod(shape)
        if len(shape) not in (1, 2) or not 1 <= size <= MAX_DATASET_BYTES // 8:
            raise DatasetError(f"{path.name} holds {shape}, which are not labels of images.")
        data = file.read(size + 1)
        _check_length(path, len(data), size)
        kind = np.dtype(np.uint8 if item_bytes == 1 else ">i4")
        return np.frombuffer(data, kind).reshape(shape[0], -1)[:, 0].astype(np.int64)


def _read_images(path: Path) -> Iterator[Pixels]:
    with _open_file(path) as file:
        count, height, width = read_header(path.name, file)[1]
        for _ in range(count):
            data = file.read(height * width)
            yield np.frombuffer(data, np.uint8).reshape(height, width)
