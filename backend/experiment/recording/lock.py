"""The lock of a recording, which its writer holds while the file is open."""

import threading
from pathlib import Path

from filelock import FileLock, Timeout

# Without it, two concurrent checks could mistake each other's lock for the writer's.
_lock_check = threading.Lock()


def has_writer(path: Path) -> bool:
    """Whether a process holds the recording's lock, that is, is training the run."""
    lock = writer_lock(path)
    with _lock_check:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
    return False


def writer_lock(path: Path) -> FileLock:
    """Return the lock that the writer of a recording holds."""
    return FileLock(path.with_suffix(".lock"), is_singleton=False)
