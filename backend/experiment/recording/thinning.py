"""Thin a recording at its limit: drop every second ordinary frame, a few after each step.

A pass goes through all frames, oldest first, and keeps each 2nd, 4th, 8th, ... of the ordinary
ones, so that the whole recording is equally dense, however often the limit is reached. New frames
are recorded as densely as before, because the live view shows them, until the next pass. If a pass
frees too little, the next one keeps half as many.
"""

from contextlib import suppress

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording.writer import RecordingWriter

TARGET = 0.75
"""Share of the limit below which no further pass is needed."""
DROPS_PER_STEP = 8
"""More than a step adds, and few enough not to delay it."""


class Thinning:
    """The thinning of one recording.

    Args:
        writer: the recording.
        limit: maximum size of the recording in bytes.
    """

    def __init__(self, writer: RecordingWriter, limit: int) -> None:
        self._writer = writer
        self._limit = limit
        self._halvings: int = writer.summary()["thinned"]
        # Position and end of the current pass, as `seq`; None between passes.
        self._after: int | None = None
        self._end = 0

    def advance(self) -> bool:
        """Drop a few frames if the limit is reached; to be called after each step.

        Returns:
            Whether there is space: False if dropping all that may be dropped was not enough.
        """
        if self._after is None:
            if self._writer.live_bytes() < self._limit:
                return True
            self._begin(max(1, self._halvings))
        # The write of the next step reports a full disk.
        with suppress(InsufficientStorage):
            return self._drop()
        return True

    def _begin(self, halvings: int) -> None:
        newest = self._writer.newest_frame()
        self._after, self._end = 0, newest.ref.seq if newest else 0
        self._halvings = halvings

    def _drop(self) -> bool:
        assert self._after is not None
        stride = 2**self._halvings
        with self._writer.transaction():
            after = self._writer.drop_frames(
                after=self._after, before=self._end, stride=stride, limit=DROPS_PER_STEP
            )
            self._writer.update(thinned=self._halvings)
        self._after = after
        return after is not None or self._finish()

    def _finish(self) -> bool:
        """End a pass; begin the next one if it freed too little."""
        size = self._writer.live_bytes()
        if size <= TARGET * self._limit:
            return True
        if self._end > 2**self._halvings:
            self._begin(self._halvings + 1)
            return True
        # No ordinary frame is left.
        return size < self._limit
