"""The space for one recording: writes into it, and the reason if no more may be written.

There are two reasons. A quota is noticed while the pause can still be recorded; a disk that others
have filled is noticed by a write that fails. For that case a spare file beside the recording
reserves some space, which is freed so that the pause can be recorded.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording.quota import Quota, format_bytes
from stnscope.backend.experiment.recording.thinning import Thinning
from stnscope.backend.experiment.recording.writer import RecordingWriter

INTERVAL = 1.0
"""Seconds between two measurements of the recordings' size and of the free space."""
SPARE_SUFFIX = ".spare"
SPARE_BYTES = 64 * 1024
"""Enough to write the run's row several times."""


class DiskSpace:
    """The space for the recording of a writer; as a context, keeps its spare file."""

    def __init__(self, writer: RecordingWriter, quota: Quota) -> None:
        self._writer = writer
        self._quota = quota
        self._thinning = Thinning(writer, quota.run)
        self._measured = -math.inf
        self._spare = writer.path.with_suffix(SPARE_SUFFIX)

    def __enter__(self) -> Self:
        self._reserve_spare()
        return self

    def __exit__(self, *_: object) -> None:
        self._free_spare()

    def _reserve_spare(self) -> None:
        with suppress(OSError):
            # Random bytes: some file systems store zeros in no space.
            self._spare.write_bytes(os.urandom(SPARE_BYTES))

    def _free_spare(self) -> None:
        self._spare.unlink(missing_ok=True)

    def write(self, writes: Callable[[], None]) -> str | None:
        """Do `writes` in one transaction.

        Returns:
            None, or, if the disk is full and nothing was written, a message for the user.
        """
        try:
            with self._writer.transaction():
                writes()
        except InsufficientStorage as full:
            return f"{full} Then resume this run; nothing recorded is lost."
        return None

    def update_run(self, **columns: Any) -> bool:
        """Set columns of the run's row in the space of the spare file; return whether it fits."""
        self._free_spare()
        return self.write(lambda: self._writer.update(**columns)) is None

    def shortage(self) -> str | None:
        """Thin the recording if it is at its limit; to be called after each step.

        Returns:
            Why the run has to pause and what to do; None if there is space.
        """
        if not self._thinning.advance():
            return (
                f"This recording has reached its limit of {format_bytes(self._quota.run)}, and all "
                "frames that may be dropped were dropped. Start a new run, or start with a larger "
                "--run-limit."
            )
        now = time.monotonic()
        if now - self._measured < INTERVAL:
            return None
        self._measured = now
        shortage = self._quota.shortage(self._writer.path.parent)
        return shortage and f"{shortage} Then resume this run; nothing is lost."

    def reset(self) -> None:
        """Measure again after the next step, and reserve the spare file again."""
        self._measured = -math.inf
        self._reserve_spare()
