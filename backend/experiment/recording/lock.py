"""The lock of a recording, which its writer holds while the file is open."""

import fcntl
import os
from pathlib import Path

from filelock import FileLock

LOCK_SUFFIX = ".lock"


def has_writer(path: Path) -> bool:
    """Whether a process holds the recording's lock, that is, is training the run.

    False also where there is no lock file, and where the file system has no locks.
    """
    # Not with `FileLock`: that writes to the file, which may belong to another user.
    try:
        file = os.open(lock_path(path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # A shared lock, so that two concurrent checks do not mistake each other for the writer.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # network file systems report either
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def writer_lock(path: Path) -> FileLock:
    """Return the lock that the writer of a recording holds."""
    return FileLock(lock_path(path), is_singleton=False)


def lock_path(path: Path) -> Path:
    """Return the lock file of a recording; of a link, that of the recording it refers to."""
    recording = os.path.realpath(path) if path.is_symlink() else path
    return Path(recording).with_suffix(LOCK_SUFFIX)
