"""The room that one recording has: what is written into it, and why nothing more may be.

Two things keep a run from going on. A limit is noticed while the pause can still be written in
order; a disk that someone else has filled is noticed by the write that fails. For that case a
spare file beside the recording holds a little room, which is given up so that the pause can be
told.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording.quota import Quota, in_words
from stnscope.backend.experiment.recording.thinning import Thinning
from stnscope.backend.experiment.recording.writer import RecordingWriter

# Between two looks at what all recordings take and at what is free.
INTERVAL = 1.0
SPARE_SUFFIX = ".spare"
# Enough to write the run's row a few times over.
SPARE_BYTES = 64 * 1024


class Room:
    """The room of the recording that `writer` writes; keeps its spare file while inside."""

    def __init__(self, writer: RecordingWriter, bounds: Quota) -> None:
        self._writer = writer
        self._bounds = bounds
        self._thinning = Thinning(writer, bounds.run)
        self._measured = -math.inf
        self._spare = writer.path.with_suffix(SPARE_SUFFIX)

    def __enter__(self) -> Self:
        self._put_aside()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up()

    def _put_aside(self) -> None:
        with suppress(OSError):
            # Noise, since some disks take no room for zeros.
            self._spare.write_bytes(os.urandom(SPARE_BYTES))

    def _give_up(self) -> None:
        self._spare.unlink(missing_ok=True)

    def write(self, work: Callable[[], None]) -> str | None:
        """Does `work` in one transaction.

        Returns:
            None, or where the disk is full and nothing was written: what to tell the user.
        """
        try:
            with self._writer.transaction():
                work()
        except InsufficientStorage as full:
            return f"{full} Then resume this run; nothing recorded is lost."
        return None

    def tell(self, **columns: Any) -> bool:
        """Sets columns of the run's row in the room that the spare held; whether it sufficed."""
        self._give_up()
        return self.write(lambda: self._writer.update(**columns)) is None

    def shortage(self) -> str | None:
        """Thins the recording where it is at its limit; asked after each step.

        Returns:
            Why the run has to pause and what to do, or None where there is room.
        """
        if not self._thinning.advance():
            return (
                f"This recording has reached its limit of {in_words(self._bounds.run)}, and all "
                "that may be dropped from it was dropped. Start a new run, or start with a larger "
                "--run-limit."
            )
        now = time.monotonic()
        if now - self._measured < INTERVAL:
            return None
        self._measured = now
        shortage = self._bounds.shortage(self._writer.path.parent)
        return shortage and f"{shortage} Then resume this run; nothing is lost."

    def go_on(self) -> None:
        """Looks anew at what is free after the next step, and puts the spare aside again."""
        self._measured = -math.inf
        self._put_aside()
