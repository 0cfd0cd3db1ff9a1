"""The description of files that a data set is read from. Without torch."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Arrays(NamedTuple):
    """Images and their classes as they are read from files."""

    pixels: NDArray[np.uint8] | NDArray[np.float32]
    """(N, C, H, W), uint8 from 0 to 255 or float32 in [0, 1]."""
    labels: NDArray[np.int64]
    """Indices of classes, (N,)."""


Split = tuple[Arrays, Arrays]
"""Training images and held-out images."""
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
    """Name of the folder in the data folder."""
    required_files: tuple[tuple[str, ...], ...]
    """Glob patterns, relative to the folder. At least one pattern of each group must match."""
    instructions: str
    """How to get the files, as sentences."""
    inspect: Callable[[Path], Counts | None]
    """Check the folder's files without decoding images.

    Returns the number of images, or None if every complete copy has the same number. Raises
    DatasetError if a file is missing or damaged.
    """
    load: Callable[[Path], Split]
    """Read all images from the folder; raises DatasetError if a file is missing or damaged."""
    downloads: tuple[RemoteFile, ...] = ()
    """Files that `stnscope download` downloads; empty if they must be provided by the user."""
    related_paths: Callable[[Path], Iterable[Path]] = _no_paths
    """For a required file, further paths whose change requires a new inspection."""

    def is_present(self, data: Path) -> bool:
        """Whether the required files exist in the data folder, whatever their content."""
        folder = data / self.folder
        return all(
            any(found for pattern in group for found in folder.glob(pattern))
            for group in self.required_files
        )

    def watched_paths(self, data: Path) -> list[Path]:
        """Return the paths in the data folder whose change requires a new inspection, sorted."""
        folder = data / self.folder
        patterns = (pattern for group in self.required_files for pattern in group)
        files = {path for pattern in patterns for path in folder.glob(pattern)}
        return sorted(files | {path for file in files for path in self.related_paths(file)})
