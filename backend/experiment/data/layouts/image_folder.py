"""One folder of images per class, directly in a folder or in one folder for each part.

`ImageFolder` of torchvision, Imagenette and Hugging Face's `imagefolder` have one or the other.
Without torch, and without decoding.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from stnscope.backend.experiment.data.layouts.listing import Listing
from stnscope.backend.experiment.data.layouts.splits import Part, find_part
from stnscope.backend.experiment.data.layouts.stored_images import (
    MIN_IMAGES,
    ImageReader,
    Labels,
    Mask,
    Open,
    Pixels,
    Size,
    StoredImages,
    hold_out_every_fifth,
    naming_image,
)
from stnscope.backend.experiment.errors import DatasetError, StnscopeError
from stnscope.backend.experiment.limits import MAX_CLASSES
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.pictures.file_format import (
    ACCEPTED_FORMATS,
    HEADER_BYTES,
    check_file_size,
    identify_format,
)

SUFFIXES = frozenset(
    {
        *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp"),
        *(".webp", ".gif", ".bmp", ".dib"),
    }
)
"""Suffixes of images, whatever their content; other files are recognised by their content."""
OTHER_SUFFIXES = frozenset({".avif", ".heic", ".pgm", ".ppm", ".svg", ".tif", ".tiff"})
"""Suffixes of image formats that are not supported; a folder of these gets a message."""
NO_IMAGE_SUFFIXES = frozenset(
    {
        *(".csv", ".db", ".html", ".ini", ".json", ".md", ".npy", ".npz", ".pt", ".py", ".txt"),
        *(".arrow", ".gz", ".mat", ".parquet", ".pkl", ".pth", ".tgz", ".xml", ".zip"),
    }
)
"""Suffixes of files that are never opened as images."""
MAX_NAMED_CLASSES = 5
"""Class folders that a message lists."""

Classes = dict[str, list[Path]]
"""Image files of each class folder, sorted by name."""


@dataclass(frozen=True)
class ImageFolder:
    """The class folders in a folder."""

    classes: Classes
    omitted: dict[str, int]
    """Class folders with too few images, and how many each has."""
    unusable: tuple[str, ...]
    """Folders and files whose names or formats cannot be used, by their paths in the folder."""
    fingerprint: str

    def describe_omissions(self) -> str:
        """Return what is not read, as sentences after a space; empty if all of it is."""
        text = ""
        if self.omitted:
            listed = _list_counts(self.omitted)
            text += f" Omitted, with fewer than {MIN_IMAGES} images: {listed}."
        if self.unusable:
            text += f" Not read: {_list_names(self.unusable)}."
        return text


def find(listing: Listing) -> dict[str, Open]:
    """Return how to open the folder, if there are images in it or in its folders."""
    folder = listing.folder
    if parts := _find_part_folders(folder):
        return {"": partial(_open_parts, folder, parts)}
    if _has_images(folder) or any(_has_images(path) for path in _find_folders(folder)):
        return {"": partial(_open_classes, folder)}
    return {}


def _find_part_folders(folder: Path) -> dict[Part, Path]:
    """Return the folders of a data set's parts; none without one for training."""
    parts: dict[Part, Path] = {}
    for path in _find_folders(folder):
        part = find_part(path.name)
        if part is None or part in parts or _has_images(path):
            continue
        if any(_has_images(nested) for nested in _find_folders(path)):
            parts[part] = path
    return parts if "train" in parts else {}


def _open_classes(folder: Path) -> StoredImages:
    """Open class folders; every fifth image of a class is held out."""
    content = scan(folder)
    counts = [len(paths) for paths in content.classes.values()]
    held_out = np.concatenate([hold_out_every_fifth(count) for count in counts])
    text = f"Your own images: {sum(counts):,} in {len(counts)} folders."
    return _store(content, [content.classes], held_out, text)


def _open_parts(folder: Path, parts: Mapping[Part, Path]) -> StoredImages:
    """Open a given split; without validation images, those of the test are held out."""
    train, other = parts["train"], parts.get("validation", parts.get("test"))
    if other is None:
        return _open_classes(train)
    content = scan(train)
    held_out = _scan_held_out(content, train, other)
    counts = [_count(content.classes), _count(held_out)]
    text = (
        f"Your own images: {counts[0]:,} in {len(held_out)} folders of {train.name}, and "
        f"{counts[1]:,} held out, in {other.name}."
    )
    mask = np.repeat([False, True], counts)
    fingerprint = _check_headers(other, held_out)
    return _store(content, [content.classes, held_out], mask, text, fingerprint)


def _count(classes: Classes) -> int:
    return sum(len(paths) for paths in classes.values())


def _scan_held_out(content: ImageFolder, train: Path, folder: Path) -> Classes:
    """Find the held-out images of the same classes.

    Raises:
        DatasetError: a class is missing in one of the two; names it.
    """
    name = f"{folder.parent.name}/{folder.name}"
    found = {path.name: _find_images(path) for path in _find_class_folders(folder)[0]}
    found = {name: paths for name, paths in found.items() if paths}
    if missing := [each for each in content.classes if each not in found]:
        raise DatasetError(
            f"{name} has no images of {_list_names(missing)}, and {train.name} has. Both need "
            "the same folders."
        )
    if extra := found.keys() - content.classes.keys() - content.omitted.keys():
        raise DatasetError(
            f"{name} has images of {_list_names(sorted(extra))}, and {train.name} has none. Both "
            "need the same folders."
        )
    return {each: found[each] for each in content.classes}


def _store(
    content: ImageFolder, parts: Sequence[Classes], held_out: Mask, text: str, fingerprint: str = ""
) -> StoredImages:
    files = [path for classes in parts for paths in classes.values() for path in paths]

    def read_labels() -> tuple[Labels, Mask]:
        counts = [[len(paths) for paths in classes.values()] for classes in parts]
        labels = [np.repeat(np.arange(len(part), dtype=np.int64), part) for part in counts]
        return np.concatenate(labels), held_out

    def read_pixels(reader: ImageReader, size: Size, channels: int) -> Iterator[Pixels]:
        for path in files:
            with naming_image("/".join(path.parts[-3:])):
                yield reader.decode(path.read_bytes(), size, channels)

    return StoredImages(
        tuple(content.classes),
        (int((~held_out).sum()), int(held_out.sum())),
        f"{text}{content.describe_omissions()}",
        f"{content.fingerprint} {fingerprint}",
        read_labels,
        read_pixels,
    )


def scan(folder: Path) -> ImageFolder:
    """Find a folder's classes and images.

    Raises:
        DatasetError: it is not a data set; names what is missing.
        OSError: the folder cannot be read.
    """
    folders, unusable = _find_class_folders(folder)
    classes = {path.name: _find_images(path) for path in folders}
    for path in folders:
        unusable += [f"{path.name}/{name}" for name in _find_unusable(path)]
    large = {name: paths for name, paths in classes.items() if len(paths) >= MIN_IMAGES}
    if not 2 <= len(large) <= MAX_CLASSES:
        raise DatasetError(_explain(folder, classes, large))
    small = {name: len(classes[name]) for name in classes.keys() - large.keys()}
    fingerprint = _check_headers(folder, large)
    return ImageFolder(large, dict(sorted(small.items())), tuple(unusable), fingerprint)


def _explain(folder: Path, classes: Classes, large: Classes) -> str:
    """Return what a folder lacks to be a data set."""
    name = folder.name
    if len(large) > MAX_CLASSES:
        return f"{name} has {len(large):,} folders of images; at most {MAX_CLASSES:,} are read."
    if not any(classes.values()) and _has_images(folder):
        return (
            f"{name} has images, but no folders. Put them into one folder per class, at least "
            f"{MIN_IMAGES} into each."
        )
    counts = _list_counts({name: len(paths) for name, paths in classes.items()})
    return (
        f"{name} needs two folders or more with at least {MIN_IMAGES} images each, one for "
        f"each class. It has {counts or 'none'}; {ACCEPTED_FORMATS} count."
    )


def _list_names(names: Sequence[str]) -> str:
    """List names, the first few of many."""
    more = len(names) - MAX_NAMED_CLASSES
    return ", ".join(names[:MAX_NAMED_CLASSES]) + (f" and {more} more" if more > 0 else "")


def _list_counts(counts: Mapping[str, int]) -> str:
    """List class folders with their numbers of images, the first few of many."""
    listed = [f"{name}: {count}" for name, count in list(counts.items())[:MAX_NAMED_CLASSES]]
    more = len(counts) - MAX_NAMED_CLASSES
    return ", ".join(listed) + (f" and {more} more folders" if more > 0 else "")


def _find_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not _is_hidden(path) and path.is_dir())


def _find_class_folders(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the folders whose names can be those of classes, and the names of the others."""
    folders = _find_folders(folder)
    return (
        [path for path in folders if _has_valid_name(path)],
        [display_name(path.name) for path in folders if not _has_valid_name(path)],
    )


def _has_valid_name(path: Path) -> bool:
    """Whether a name is UTF-8: others do not fit into a configuration, a frame or a message."""
    return display_name(path.name) == path.name


def _find_images(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if not _is_hidden(path) and _has_valid_name(path) and _is_image(path)
    )


def _find_unusable(folder: Path) -> list[str]:
    """Return the names of images that are not read."""
    return sorted(
        display_name(path.name)
        for path in folder.iterdir()
        if not _is_hidden(path)
        and (path.suffix.lower() in OTHER_SUFFIXES or not _has_valid_name(path))
        and path.is_file()
    )


def _is_image(path: Path) -> bool:
    """Whether a file is an image of a supported format, by its name or its content."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return path.is_file()
    if suffix in NO_IMAGE_SUFFIXES | OTHER_SUFFIXES or not path.is_file():
        return False
    file = path.stat()
    return _has_image_content(path, file.st_size, file.st_mtime_ns)


@lru_cache(maxsize=100_000)
def _has_image_content(path: Path, size: int, modified: int) -> bool:
    """Whether a file begins as an image does. The cache detects changes by size and time."""
    with suppress(OSError, StnscopeError), path.open("rb") as file:
        identify_format(file.read(HEADER_BYTES))
        return True
    return False


def _has_images(folder: Path) -> bool:
    """Whether there is an image of any format directly in a folder."""
    return any(
        path.suffix.lower() in OTHER_SUFFIXES or _is_image(path)
        for path in folder.iterdir()
        if not _is_hidden(path)
    )


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _check_headers(folder: Path, classes: Classes) -> str:
    """Check that every file's size and first bytes are those of a supported image.

    Returns:
        A digest of the files' names, sizes and times.

    Raises:
        DatasetError: one file's are not; names it.
    """
    digest = hashlib.blake2b(digest_size=16)
    for paths in classes.values():
        for path in paths:
            stat = path.stat()
            digest.update(os.fsencode(f"{path}|{stat.st_size}|{stat.st_mtime_ns}\n"))
    if error := _find_invalid_file(folder, tuple(classes), digest.hexdigest()):
        raise DatasetError(error)
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _find_invalid_file(folder: Path, names: tuple[str, ...], fingerprint: str) -> str | None:
    """Return what is wrong with the first invalid file, or None.

    The cache detects changes by the fingerprint.
    """
    for name in names:
        for path in _find_images(folder / name):
            try:
                with path.open("rb") as file:
                    check_file_size(os.fstat(file.fileno()).st_size)
                    identify_format(file.read(HEADER_BYTES))
            except StnscopeError as error:
                return f"{folder.name}/{name}/{path.name} cannot be used. {error}"
            except OSError as error:
                return f"{folder.name}/{name}/{path.name} cannot be read: {error.strerror}."
    return None
