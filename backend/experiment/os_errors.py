"""Errors of the operating system as errors of the program: each is one sentence that names a path.

The only place that decides what an `OSError` means for the user.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stnscope.backend.experiment.errors import (
    AccessDenied,
    Conflict,
    InsufficientStorage,
    LockUnavailable,
    StnscopeError,
    Unavailable,
    printable,
)

FULL_DISK = "The disk is full. Free some space, for instance by deleting runs."

FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
DENIED_ERRNOS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_LOCK_ERRNOS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}
_MISSING_ERRNOS = {errno.ENOENT}
_PATH_ERRNOS = {
    errno.EEXIST,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOTEMPTY,
}
_BUSY_ERRNOS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}


def display_name(path: str | os.PathLike[str]) -> str:
    """Return a path as text that can be sent and printed, also if its bytes are not UTF-8."""
    return printable(os.fspath(path))


def translate_os_error(error: OSError, path: Path | None = None) -> StnscopeError:
    """Return what an error means for the user.

    Args:
        error: the operating system's error.
        path: what was read or written; by default the file that the error names.
    """
    named = error.filename if path is None else path
    name = display_name(os.fsdecode(named)) if isinstance(named, str | bytes | Path) else "A file"
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in FULL_ERRNOS:
        return InsufficientStorage(FULL_DISK)
    if error.errno == errno.EROFS:
        return AccessDenied(f"{name} is on a disk that is read-only. Use a folder on another one.")
    if error.errno in DENIED_ERRNOS:
        return AccessDenied(
            f"{name} may not be read or written by this user. Change its permissions, or use "
            "another folder."
        )
    if error.errno in _LOCK_ERRNOS:
        return LockUnavailable(
            f"{name} cannot be locked: {reason}. Use a home folder on a disk that has file locks."
        )
    if error.errno in _MISSING_ERRNOS:
        return Conflict(
            f"{name} does not exist. If it was moved or deleted, restore it and start again."
        )
    if error.errno in _PATH_ERRNOS:
        return Conflict(f"{name} cannot be used: {reason}. Rename or remove it.")
    if error.errno in _BUSY_ERRNOS:
        return Unavailable(f"{name} cannot be opened at the moment: {reason}. Try again later.")
    return Unavailable(f"{name} cannot be read or written: {reason}.")


@contextmanager
def translating_os_errors(path: Path | None = None) -> Iterator[None]:
    """Convert errors of the operating system inside this context; see `translate_os_error`."""
    try:
        yield
    except OSError as error:
        raise translate_os_error(error, path) from error
