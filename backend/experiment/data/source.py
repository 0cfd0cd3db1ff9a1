"""The description of files that a data set is read from. Without torch."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stnscope.backend.experiment.catalog.datasets import DatasetEntry
from stnscope.backend.experiment.os_errors import display_name


class Arrays(NamedTuple):
    """Images and their classes as they are read from files."""

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    """(N, C, H, W), uint8 from 0 to 255 or float32 in [0, 1]."""
    labels: NDArray[np.int64]
    """Indices of classes, (N,)."""
    tracks: Sequence[NDArray[np.int64]] = ()
    """Indices of each track's images, in order of time."""


PART_SUFFIX = ".part"
"""Suffix of a file that is being downloaded."""
MAX_LISTED = 8
"""Names that a message lists."""

ArraySplit = tuple[Arrays, Arrays]
"""Training images and held-out images, as read from files."""
Counts = tuple[int, int]
"""Number of training images and of held-out images."""


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded."""

    url: str
    path: str
    """Where it is stored, relative to the data folder."""
    size: int
    """Approximate size in bytes."""
    md5: str | None = None
    """Checksum of its content; None if unknown."""
    required_member: re.Pattern[str] | None = None
    """For a zip without a checksum: a pattern that the name of one of its members matches."""


def _no_paths(file: Path) -> Iterable[Path]:
    return ()


@dataclass(frozen=True)
class DataSource:
    """Files in the data folder that data sets are read from."""

    folder: str
    """Name of the folder in the data folder, in upper or lower case."""
    instructions: str
    """How to get the files, as sentences."""
    inspect: Callable[[Path], Counts | None]
    """Check the folder's files without decoding images.

    Returns the number of images, or None if every complete copy has the same number. Raises
    DatasetError if a file is missing or damaged.
    """
    load: Callable[[Path], ArraySplit]
    """Read all images from the folder; raises DatasetError if a file is missing or damaged."""
    required_files: tuple[tuple[str, ...], ...] = ()
    """Glob patterns, relative to the folder. At least one pattern of each group must match."""
    find_files: Callable[[Path], Sequence[Path]] | None = None
    """Return the files in the folder that the data set is read from; none if any is missing.

    In place of `required_files`, for layouts that patterns do not describe.
    """
    downloads: tuple[RemoteFile, ...] = ()
    """Files that `stnscope download` downloads; empty if they must be provided by the user."""
    related_paths: Callable[[Path], Iterable[Path]] = _no_paths
    """For a required file, further paths whose change requires a new inspection."""

    def path(self, data: Path) -> Path:
        """Return the folder in the data folder, which other programs may call `MNIST`."""
        exact = data / self.folder
        if exact.is_dir() or not data.is_dir():
            return exact
        others = sorted(path for path in data.iterdir() if path.name.lower() == self.folder)
        return next((path for path in others if path.is_dir()), exact)

    def is_present(self, data: Path) -> bool:
        """Whether the required files exist in the data folder, whatever their content."""
        folder = self.path(data)
        if self.find_files is not None:
            return folder.is_dir() and bool(self.find_files(folder))
        return all(
            any(found for pattern in group for found in folder.glob(pattern))
            for group in self.required_files
        )

    def watched_paths(self, data: Path) -> list[Path]:
        """Return the paths in the data folder whose change requires a new inspection, sorted."""
        folder = self.path(data)
        if self.find_files is not None:
            files = set(self.find_files(folder))
        else:
            patterns = (pattern for group in self.required_files for pattern in group)
            files = {path for pattern in patterns for path in folder.glob(pattern)}
        return sorted(files | {path for file in files for path in self.related_paths(file)})

    def explain_missing(self, data: Path) -> str:
        """Return what is in the folder in place of the required files; empty if there is nothing.

        Hidden files do not count, nor does what a download has left that has not ended.
        """
        folder = self.path(data)
        if not folder.is_dir():
            return ""
        names = sorted(
            display_name(path.name) for path in folder.iterdir() if not path.name.startswith(".")
        )
        if not names or any(folder.rglob(f"*{PART_SUFFIX}")):
            return ""
        more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
        listed = ", ".join(names[:MAX_LISTED])
        return f"{display_name(folder)} has {listed}{more}, but not all that is needed."


@dataclass(frozen=True)
class Definition:
    """A data set: its description, and where its images come from."""

    entry: DatasetEntry
    """Its entry in the catalog."""
    source: DataSource | None = None
    """The files that it is read from; None if it is part of the program."""
    images: str | None = None
    """The images of the program that it consists of: a name in `load.BUNDLED`."""
    composition: str | None = None
    """How an image is composed of several: a name in `load.COMPOSITIONS`; None if it is not."""
