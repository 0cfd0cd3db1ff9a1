"""Limits on the size of recordings, their current size, and errors of a full disk."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.os_errors import (
    FULL_DISK,
    FULL_ERRNOS,
    translating_os_errors,
)

# Besides FULL, SQLite reports a disk quota, and no space for the write-ahead log's index, this way.
_FULL_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}


@dataclass(frozen=True)
class Quota:
    """Limits on recordings, in bytes.

    Attributes:
        run: maximum size of one recording, which is thinned at this limit.
        home: maximum size of all recordings together.
        reserve: space that is left free on the disk, so that a pause can be recorded.
    """

    run: int = 1_000_000_000
    home: int = 10_000_000_000
    reserve: int = 64_000_000

    def shortage(self, folder: Path, additional_bytes: int = 0) -> str | None:
        """Return why nothing may be recorded in `folder`, and what to do; None if there is space.

        Args:
            folder: the folder of the recordings.
            additional_bytes: bytes to be added to it.

        Raises:
            Conflict: the folder does not exist any more.
            AccessDenied: this user may not list it.
        """
        with translating_os_errors(folder):
            used_bytes, unused_bytes = folder_bytes(folder), free_bytes(folder)
        if used_bytes + additional_bytes >= self.home:
            return (
                f"All recordings together have reached their limit of {format_bytes(self.home)}. "
                "Delete runs that are no longer needed, or start with a larger --home-limit."
            )
        if unused_bytes - additional_bytes < self.reserve:
            return (
                f"The disk is full except for {format_bytes(self.reserve)}, which are left free. "
                "Free some space, for instance by deleting runs."
            )
        return None


def folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat().st_size
            except FileNotFoundError:  # deleted meanwhile
                continue
    return total


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that `folder` is on."""
    return shutil.disk_usage(folder).free


def format_bytes(size: int) -> str:
    """Return a size as text, such as `1.5 GB` or `64 MB`."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


def is_full_disk(error: BaseException | None) -> bool:
    """Whether an error means that the disk is full."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _FULL_CODES
    return isinstance(error, OSError) and error.errno in FULL_ERRNOS


@contextmanager
def raising_insufficient_storage() -> Iterator[None]:
    """Convert errors of a full disk inside this context.

    Raises:
        InsufficientStorage: the disk is full.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        if is_full_disk(error):
            raise InsufficientStorage(FULL_DISK) from error
        raise
