"""Thin a recording at its limit: drop every second ordinary frame, a few after each step.

A pass visits all frames, oldest first, and keeps every 2nd, 4th, 8th, ... ordinary one, so that the
recording is evenly dense however often the limit is reached. Until the next pass, new frames are
recorded at the full rate, because the live view shows them. If a pass frees too little space, the
next one keeps half as many.
"""

from contextlib import suppress

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording.writer import RecordingWriter

TARGET_SHARE = 0.75
"""Share of the limit below which no further pass is needed."""
DROPS_PER_STEP = 8
"""More frames than a step adds, and few enough not to delay it."""


class Thinning:
    """Thins one recording.

    Args:
        writer: the writer of the recording.
        limit: maximum size of the recording in bytes.
    """

    def __init__(self, writer: RecordingWriter, limit: int) -> None:
        self._writer = writer
        self._limit = limit
        self._halvings: int = writer.summary()["thinned"]
        self._after: int | None = None
        """The `seq` that the current pass has reached; None between passes."""
        self._end = 0
        """The `seq` at which the current pass ends."""

    @property
    def is_active(self) -> bool:
        """Whether a pass over the frames has begun and not ended."""
        return self._after is not None

    def advance(self) -> bool:
        """Drop a few frames if the limit is reached; call this after each step.

        Returns:
            Whether there is space; False if dropping all ordinary frames did not suffice.
        """
        if not self.is_active:
            if self._writer.live_bytes() < self._limit:
                return True
            self._start_pass(max(1, self._halvings))
        # A full disk is reported when the next step is written.
        with suppress(InsufficientStorage):
            return self._drop_frames()
        return True

    def _start_pass(self, halvings: int) -> None:
        newest = self._writer.newest_frame()
        self._after, self._end = 0, newest.ref.seq if newest else 0
        self._halvings = halvings

    def _drop_frames(self) -> bool:
        assert self._after is not None
        stride = 2**self._halvings
        with self._writer.transaction():
            after = self._writer.drop_frames(
                after=self._after, before=self._end, stride=stride, limit=DROPS_PER_STEP
            )
            self._writer.update(thinned=self._halvings)
        self._after = after
        return after is not None or self._finish_pass()

    def _finish_pass(self) -> bool:
        """Start the next pass if this one freed too little; return whether there is space."""
        size = self._writer.live_bytes()
        if size <= TARGET_SHARE * self._limit:
            return True
        if self._end > 2**self._halvings:
            self._start_pass(self._halvings + 1)
            return True
        # No ordinary frame is left.
        return size < self._limit
