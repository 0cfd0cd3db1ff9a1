"""Errors of reading and writing a recording: whatever its file does, it becomes a RecordingError.

The only place that decides what an exception means for a recording. Its file may be damaged, of a
later version, locked, no file at all, or not to be read by this user.
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from stnscope.backend.experiment.errors import (
    AccessDenied,
    InsufficientStorage,
    LaterVersion,
    NotFound,
    RecordingDenied,
    RecordingError,
    RecordingUnavailable,
    StnscopeError,
    Unavailable,
    shorten_reason,
)
from stnscope.backend.experiment.os_errors import (
    FULL_DISK,
    display_name,
    translate_os_error,
)
from stnscope.backend.experiment.recording.quota import is_full_disk

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
"""What a path can be instead of a file."""
_PRIMARY_CODE = 0xFF
"""SQLite's extended error codes have the primary code in the lowest byte."""
_LOCKED_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_SHORT_CODES = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS}
_DENIED_CODES = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH}


@contextmanager
def raising_recording_errors(path: Path) -> Iterator[None]:
    """Convert what is raised inside this context while a recording is read or written.

    Args:
        path: the recording.

    Raises:
        RecordingError: it is damaged, locked, of a later version or not to be read.
        NotFound: it does not exist.
        InsufficientStorage: the disk is full.
    """
    try:
        yield
    except (StnscopeError, sqlite3.ProgrammingError):  # the latter is an error of the program
        raise
    except Exception as error:
        raise _translate(error, path) from error


@contextmanager
def raising_write_errors(path: Path) -> Iterator[None]:
    """Convert errors of SQLite and of the operating system inside this context, and no others.

    Raises:
        RecordingError, NotFound, InsufficientStorage: as `raising_recording_errors` does.
    """
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except (sqlite3.Error, OSError) as error:
        raise _translate(error, path) from error


def check_is_file(path: Path) -> None:
    """Check that a path is a file, or a link to one: nothing else is opened.

    Raises:
        NotFound: there is nothing.
        RecordingError: it is something else, or may not be read.
    """
    name = display_name(path.name)
    with raising_recording_errors(path):
        try:
            mode = path.stat().st_mode
        except OSError:
            if path.is_symlink():
                raise RecordingError(
                    f"{name} is a link to a file that cannot be found. Delete the link."
                ) from None
            raise
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise RecordingError(f"{name} is {kind}, not a recording. Rename or delete it.")


def damaged(path: Path, reason: str) -> RecordingError:
    """Return the error of opening a recording that is not as it was written; it names the file."""
    return RecordingError(f"{display_name(path.name)} is damaged: {shorten_reason(reason)}.")


def later_version(path: Path, reason: str) -> LaterVersion:
    """Return the error of opening a recording of a later version; it names the file."""
    return LaterVersion(
        f"{display_name(path.name)} was made by a later version of stnscope: "
        f"{shorten_reason(reason)}. Update stnscope to open it."
    )


def _translate(error: Exception, path: Path) -> StnscopeError:
    if is_full_disk(error):
        return InsufficientStorage(FULL_DISK)
    if isinstance(error, sqlite3.Error):
        return _translate_sqlite(error, path)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return NotFound(f"There is no recording {display_name(path.stem)}.")
    if isinstance(error, OSError):
        translated = translate_os_error(error, path)
        if isinstance(translated, AccessDenied):
            return RecordingDenied(str(translated))
        if isinstance(translated, Unavailable):
            return RecordingUnavailable(str(translated))
        return RecordingError(str(translated))
    if isinstance(error, ValidationError):
        return _translate_validation(error, path)
    if isinstance(error, MemoryError | RecursionError):
        return damaged(path, "a part of it is too large")
    return damaged(path, str(error) or type(error).__name__)


def _translate_sqlite(error: sqlite3.Error, path: Path) -> StnscopeError:
    name = display_name(path.name)
    extended = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & _PRIMARY_CODE
    if code in _LOCKED_CODES:
        return RecordingUnavailable(f"Another program locks {name}. Try again in a moment.")
    if code in _DENIED_CODES:
        return _denied(path)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR) and extended not in _SHORT_CODES:
        return _find_cause(error, code, path)
    if code == sqlite3.SQLITE_NOTADB:
        return RecordingError(f"{name} is not a recording: {error}.")
    return damaged(path, str(error))


def _find_cause(error: sqlite3.Error, code: int, path: Path) -> StnscopeError:
    """Return the reason why SQLite cannot open or read a file, which it does not report."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as cause:
        if isinstance(cause, FileNotFoundError) and not _may_write(path.parent):
            return _denied(path)
        return _translate(cause, path)
    if code == sqlite3.SQLITE_IOERR:
        return RecordingUnavailable(f"{display_name(path.name)} cannot be read: {error}.")
    if not _may_write(path.parent):
        return _denied(path)
    return damaged(path, str(error))


def _may_write(folder: Path) -> bool:
    """Whether this user may create files in a folder; True if there is none."""
    return not folder.is_dir() or os.access(folder, os.W_OK | os.X_OK)


def _translate_validation(error: ValidationError, path: Path) -> RecordingError:
    errors = error.errors(include_url=False)
    unknown = next((fault for fault in errors if fault["type"] == "extra_forbidden"), None)
    if unknown is not None:
        return later_version(path, f"it has an unknown field {_format_location(unknown['loc'])}")
    field = _format_location(errors[0]["loc"]) or "settings"
    return damaged(path, f"the field {field} of its run is invalid: {errors[0]['msg']}")


def _format_location(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in location)


def _denied(path: Path) -> RecordingDenied:
    return RecordingDenied(
        f"{display_name(path)} may not be read or written by this user. Change the permissions of "
        "the file and its folder."
    )
