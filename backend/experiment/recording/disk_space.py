"""Write to a recording, and detect that its quota is exceeded or its disk is full.

An exceeded quota is detected while the pause can still be recorded. A disk that other programs have
filled is detected only by a failed write: for that case a reserve file beside the recording
occupies space, which is freed so that the pause can be recorded.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from stnscope.backend.experiment.errors import InsufficientStorage, NotFound
from stnscope.backend.experiment.os_errors import display_name
from stnscope.backend.experiment.recording.quota import Quota, format_bytes
from stnscope.backend.experiment.recording.thinning import Thinning
from stnscope.backend.experiment.recording.writer import RecordingWriter

CHECK_INTERVAL = 1.0
"""Seconds between two checks of the recordings' size and of the free space."""
FULL_DISK_INTERVAL = 0.2
"""Seconds between two attempts to write, or looks for requests, while the disk is full."""
RESERVE_SUFFIX = ".reserve"
RESERVE_BYTES = 64 * 1024
"""Enough to write the run's row several times."""


class DiskSpace:
    """Disk space of the recording of `writer`; the reserve file exists inside its context."""

    def __init__(self, writer: RecordingWriter, quota: Quota) -> None:
        self._writer = writer
        self._quota = quota
        self._thinning = Thinning(writer, quota.run)
        self._has_grown = True
        """Whether something was written since the recording's size was last compared."""
        self._last_check = -math.inf
        self._reserve_file = writer.path.with_suffix(RESERVE_SUFFIX)

    def __enter__(self) -> Self:
        self._create_reserve_file()
        return self

    def __exit__(self, *_: object) -> None:
        self._delete_reserve_file()

    def _create_reserve_file(self) -> None:
        with suppress(OSError):
            # Random bytes, because some file systems allocate no space for zeros.
            self._reserve_file.write_bytes(os.urandom(RESERVE_BYTES))

    def _delete_reserve_file(self) -> None:
        self._reserve_file.unlink(missing_ok=True)

    def write(self, writes: Callable[[], None]) -> str | None:
        """Call `writes` in one transaction.

        Returns:
            None, or a message for the user if the disk is full and nothing was written.
        """
        self._has_grown = True
        try:
            with self._writer.transaction():
                writes()
        except InsufficientStorage as error:
            return f"{error} Then resume this run; nothing recorded is lost."
        return None

    def update_run(self, **columns: Any) -> bool:
        """Set columns of the run's row, using the space of the reserve file; return the success."""
        self._delete_reserve_file()
        return self.write(lambda: self._writer.update(**columns)) is None

    def make_space(self) -> str | None:
        """Thin the recording if it is at its limit, then check the space; call it after each step.

        Returns:
            Why the run has to pause, and what to do; None if there is space.

        Raises:
            NotFound: the recording was deleted.
            Conflict, AccessDenied: its folder was deleted, or may not be listed any more.
        """
        is_unchanged = not (self._has_grown or self._thinning.is_active)
        self._has_grown = False
        if not (is_unchanged or self._thinning.advance()):
            return (
                f"This recording has reached its limit of {format_bytes(self._quota.run)}, and all "
                "frames that may be dropped were dropped. Start a new run, or start with a larger "
                "--run-limit."
            )
        now = time.monotonic()
        if now - self._last_check < CHECK_INTERVAL:
            return None
        self._last_check = now
        path = self._writer.path
        shortage = self._quota.shortage(path.parent)
        if not path.exists():  # what would be recorded cannot be read
            raise NotFound(f"The recording {display_name(path.stem)} was deleted while it trained.")
        return shortage and f"{shortage} Then resume this run; nothing is lost."

    def reset(self) -> None:
        """Check the space again after the next step, and create the reserve file again."""
        self._last_check = -math.inf
        self._create_reserve_file()
