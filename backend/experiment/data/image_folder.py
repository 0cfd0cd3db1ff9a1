"""The user's own images as a data set: a folder with one folder of images per class.

Without torch, and without decoding: `load` is given a function that reads an image.
"""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.data.source import Arrays, ArraySplit
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
"""Of images, whatever their content; a file with any other name is one if its content is."""
OTHER_SUFFIXES = frozenset({".avif", ".heic", ".pgm", ".ppm", ".svg", ".tif", ".tiff"})
"""Of image formats that are not supported; a folder of these gets a message."""
NO_IMAGE_SUFFIXES = frozenset(
    {
        *(".csv", ".db", ".html", ".ini", ".json", ".md", ".npy", ".npz", ".pt", ".py", ".txt"),
        ".xml",
    }
)
"""Of files that are not opened to see whether they are images."""
MIN_IMAGES = 10
"""Images that a class needs."""
IMAGES_PER_HELD_OUT = 5
"""One in this many images of a class is held out."""
MAX_NAMED_CLASSES = 5
"""Class folders that a message lists."""

Pixels = NDArray[np.uint8]
ReadImage = Callable[[bytes, tuple[int, int]], Pixels]
"""Decodes an image file and fits it into (height, width); returns (H, W, 3)."""
Classes = dict[str, list[Path]]
"""Image files of each class folder, sorted by name."""

IMAGE_FOLDER = DatasetEntry(
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
"""What all image folders have in common; `Content.describe` fills in the rest."""


@dataclass(frozen=True)
class ImageFolder:
    """Content of a folder that is a data set."""

    classes: Classes
    omitted: dict[str, int]
    """Class folders with too few images, and how many each has."""
    unusable: tuple[str, ...] = ()
    """Folders and files whose names or formats cannot be used, by their paths in the folder."""

    def describe(self, folder: Path) -> DatasetEntry:
        """Return the folder's entry in the catalog."""
        counts = [len(paths) for paths in self.classes.values()]
        held_out = sum(count // IMAGES_PER_HELD_OUT for count in counts)
        description = f"Your own images: {sum(counts):,} in {len(counts)} folders."
        if self.omitted:
            listed = _list_counts(self.omitted)
            description += f" Omitted, with fewer than {MIN_IMAGES} images: {listed}."
        if self.unusable:
            description += f" Not read: {_list_names(self.unusable)}."
        return replace(
            IMAGE_FOLDER,
            name=folder.name,
            title=folder.name,
            description=description,
            classes=tuple(self.classes),
            images=sum(counts) - held_out,
            held_out=held_out,
            instructions=f"It is read from {display_name(folder)}.",
        )


def load(entry: DatasetEntry, folder: Path, read_image: ReadImage) -> ArraySplit:
    """Read all images; every fifth of a class is held out.

    Args:
        entry: the folder's entry in the catalog; images get its size.
        folder: the data set's folder.
        read_image: decodes and fits one image.

    Raises:
        DatasetError: an image cannot be read, or the folder has just changed; names it.
    """
    content = scan(folder)
    if content is None or tuple(content.classes) != entry.classes:
        raise DatasetError(f"{folder} has just changed. Try again.")
    pixels: tuple[list[Pixels], list[Pixels]] = [], []
    labels: tuple[list[int], list[int]] = [], []
    for label, paths in enumerate(content.classes.values()):
        for index, path in enumerate(paths):
            part = index % IMAGES_PER_HELD_OUT == IMAGES_PER_HELD_OUT - 1
            pixels[part].append(_read_file(path, (entry.height, entry.width), read_image))
            labels[part].append(label)
    train, held_out = (
        Arrays(np.stack(images).transpose(0, 3, 1, 2), np.array(classes, dtype=np.int64))
        for images, classes in zip(pixels, labels, strict=True)
    )
    return train, held_out


def _read_file(path: Path, size: tuple[int, int], read_image: ReadImage) -> Pixels:
    try:
        return read_image(path.read_bytes(), size)
    except (OSError, StnscopeError) as error:
        name = "/".join(path.parts[-3:])
        raise DatasetError(f"{name} cannot be used. {error}") from error


def scan(folder: Path) -> ImageFolder | None:
    """Find a folder's classes and images; None if it contains no images at all.

    Raises:
        DatasetError: it contains images but is not a data set; names what is missing.
        OSError: the folder cannot be read.
    """
    folders, unusable = _find_class_folders(folder)
    classes = {path.name: _find_images(path) for path in folders}
    for path in folders:
        unusable += [f"{path.name}/{name}" for name in _find_unusable(path)]
    large = {name: paths for name, paths in classes.items() if len(paths) >= MIN_IMAGES}
    if 2 <= len(large) <= MAX_CLASSES:
        _check_headers(folder, large)
        small = {name: len(classes[name]) for name in classes.keys() - large.keys()}
        return ImageFolder(large, dict(sorted(small.items())), tuple(unusable))
    if error := _explain(folder, classes, large):
        raise DatasetError(error)
    return None


def _explain(folder: Path, classes: Classes, large: Classes) -> str | None:
    """Return what a folder lacks to be a data set; None if it contains no images at all."""
    name = folder.name
    if len(large) > MAX_CLASSES:
        return f"{name} has {len(large):,} folders of images; at most {MAX_CLASSES:,} are read."
    if any(classes.values()) or any(_has_images(path) for path in _find_folders(folder)):
        counts = _list_counts({name: len(paths) for name, paths in classes.items()})
        return (
            f"{name} needs two folders or more with at least {MIN_IMAGES} images each, one for "
            f"each class. It has {counts}; {ACCEPTED_FORMATS} count."
        )
    if _has_images(folder):
        return (
            f"{name} has images, but no folders. Put them into one folder per class, at least "
            f"{MIN_IMAGES} into each."
        )
    for path in _find_folders(folder):
        if any(_has_images(nested) for nested in _find_folders(path)):
            return (
                f"{name} has its images one folder too deep, as in {name}/{path.name}. Move the "
                f"class folders directly into {name}."
            )
    return None


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
    """Whether a file begins as an image does. Size and time make the cache notice changes."""
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


def _check_headers(folder: Path, classes: Classes) -> None:
    """Check that every file's size and first bytes are those of a supported image.

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


@lru_cache(maxsize=64)
def _find_invalid_file(folder: Path, names: tuple[str, ...], fingerprint: str) -> str | None:
    """Return what is wrong with the first invalid file, or None.

    The fingerprint makes the cache notice changes.
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
