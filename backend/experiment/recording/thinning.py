"""A recording at its limit drops every second ordinary frame, a few after each step.

A pass goes through all frames from the oldest on and leaves each 2, 4, 8, ... of the ordinary
ones, so that all of the recording becomes equally thin, however often the limit is reached. New
frames come as densely as ever, since the live view is made of them, until the next pass reaches
them. Only where that frees too little does the next pass leave half as many.
"""

from contextlib import suppress

from stnscope.backend.experiment.errors import InsufficientStorage
from stnscope.backend.experiment.recording.writer import RecordingWriter

# Passes go on until the recording takes no more than this share of its limit.
AIM = 0.75
# Frames dropped after one step: more than one step adds, and few enough that none is held up.
DROPS_A_STEP = 8


class Thinning:
    """The thinning of one recording.

    Args:
        writer: the recording.
        limit: the size that the recording is to stay below, in bytes.
    """

    def __init__(self, writer: RecordingWriter, limit: int) -> None:
        self._writer = writer
        self._limit = limit
        self._halvings: int = writer.summary()["thinned"]
        # How far the present pass has come and where it ends, as `seq`; None between passes.
        self._after: int | None = None
        self._end = 0

    def advance(self) -> bool:
        """Drops a few frames where the limit is reached; called after each step.

        Returns:
            Whether there is room: False where all that may be dropped was dropped in vain.
        """
        if self._after is None:
            if self._writer.live_bytes() < self._limit:
                return True
            self._begin(max(1, self._halvings))
        # A full disk is told by the step that it keeps from being written; here it only holds up.
        with suppress(InsufficientStorage):
            return self._drop()
        return True

    def _begin(self, halvings: int) -> None:
        newest = self._writer.newest()
        self._after, self._end = 0, newest.ref.seq if newest else 0
        self._halvings = halvings

    def _drop(self) -> bool:
        assert self._after is not None
        stride = 2**self._halvings
        with self._writer.transaction():
            after = self._writer.drop_frames(
                after=self._after, before=self._end, stride=stride, most=DROPS_A_STEP
            )
            self._writer.update(thinned=self._halvings)
        self._after = after
        return after is not None or self._finish()

    def _finish(self) -> bool:
        """Ends a pass; where it freed too little, the next one begins."""
        size = self._writer.live_bytes()
        if size <= AIM * self._limit:
            return True
        if self._end > 2**self._halvings:
            self._begin(self._halvings + 1)
            return True
        # No frame is a multiple any more: only what must stay is left.
        return size < self._limit
