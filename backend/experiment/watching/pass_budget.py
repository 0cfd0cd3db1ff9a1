"""When the next probe pass is due, so that passes keep to a share of a loop's time."""

from stnscope.backend.experiment.runs.pace import FRAME_INTERVAL

MAX_BYTES_PER_SECOND = 4_000_000
"""Maximum rate of frames; those of photos would fill a recording within minutes."""


class PassBudget:
    """Decides which steps are observed.

    Args:
        share: of the time that probe passes may take, 0 to 1.
        every: observe each so many steps instead, at any cost; None to observe by time.
    """

    def __init__(self, share: float, every: int | None) -> None:
        self._share = share
        self._every = every
        self._due = 0.0
        """The time from which a pass is due."""

    def is_due(self, step: int, now: float) -> bool:
        """Whether a step is observed that ends at `now`, in seconds."""
        if self._every is not None:
            return step % self._every == 0
        return now >= self._due

    def add_pass(self, start: float, end: float, frame_bytes: int) -> None:
        """Count a pass from `start` to `end`, in seconds, whose frame has so many bytes."""
        seconds = end - start
        self._due = max(
            start + FRAME_INTERVAL,
            start + frame_bytes / MAX_BYTES_PER_SECOND,
            # So that the pass is this share of the time from its start to that of the next.
            start + seconds / self._share if self._share > 0 else float("inf"),
        )
