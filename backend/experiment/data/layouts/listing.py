"""The names of the files in a folder, by which a layout is recognised. Without torch."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stnscope.backend.experiment.data.data_errors import raising_dataset_errors
from stnscope.backend.experiment.data.file_tree import FileState
from stnscope.backend.experiment.os_errors import display_name

MAX_DEPTH = 3
"""Folders above a file that is listed."""
MAX_ENTRIES = 2_000
"""Entries of one folder that are listed; one with more has images."""
MAX_LISTED = 6_000
"""Entries that are listed of all folders."""


@dataclass(frozen=True)
class Listing:
    """A folder, and the files in it whose names are those of a layout."""

    folder: Path
    top: Path = Path()
    """The data set's folder, in or below which the folder is; by default the same."""

    def __post_init__(self) -> None:
        if self.top == Path():
            object.__setattr__(self, "top", self.folder)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Paths of files relative to the folder, with slashes, sorted; no hidden ones."""
        return tuple(sorted(self._walk()))

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders directly in it, sorted."""
        with os.scandir(self.folder) as entries:
            return tuple(sorted(entry.name for entry in entries if _is_folder(entry)))

    def path(self, file: str) -> Path:
        """Return the path of a listed file."""
        return self.folder / file

    def state(self, file: str) -> FileState:
        """Return what differs as soon as a file has changed.

        Raises:
            DatasetError: there is none.
        """
        with raising_dataset_errors(file):
            stat = self.path(file).stat()
        return str(self.path(file)), stat.st_size, stat.st_mtime_ns

    def _walk(self) -> Iterator[str]:
        """Yield files level by level, so that those at the top are never left out."""
        level, count = [""], 0
        for _ in range(MAX_DEPTH):
            below: list[str] = []
            for base in level:
                for entry in _first_entries(self.folder / base):
                    count += 1
                    if count > MAX_LISTED:
                        return
                    if entry.name.startswith(".") or display_name(entry.name) != entry.name:
                        continue
                    path = f"{base}/{entry.name}" if base else entry.name
                    if _is_folder(entry):
                        below.append(path)
                    elif entry.is_file():
                        yield path
            level = sorted(below)


def _first_entries(folder: Path) -> list[os.DirEntry[str]]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found.append(entry)
                if len(found) == MAX_ENTRIES:
                    break
    except OSError:  # one that may not be read has no files; other folders have
        return []
    return found


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return not entry.name.startswith(".") and entry.is_dir()
    except OSError:
        return False
