"""The pace of a training: steps per second, and when frames are due."""

import time
from dataclasses import dataclass, field

FRAME_INTERVAL = 1 / 20
"""Seconds."""


class Cadence:
    """When something is due that happens at a given interval on average.

    Steps seldom end exactly when a frame is due, and none ends during a validation: a delay is made
    up for, up to a limit.

    Args:
        interval: in seconds.
        max_delay: in seconds; a longer delay is not made up for.
    """

    def __init__(self, interval: float, max_delay: float = 0.5) -> None:
        self._interval = interval
        self._max_delay = max_delay
        self._next: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is due at `now`, in seconds; if so, it counts as done."""
        if self._next is None:
            self._next = now
        if now < self._next:
            return False
        self._next = max(self._next, now - self._max_delay) + self._interval
        return True


@dataclass
class Pace:
    """When the last checkpoint was made, when frames are due, and the steps per second."""

    frames: Cadence = field(default_factory=lambda: Cadence(FRAME_INTERVAL))
    checkpointed: float = field(default_factory=time.monotonic)
    stepped: float | None = None
    steps_per_second: float | None = None

    def count_step(self, now: float) -> None:
        """Update the steps per second after a step."""
        if self.stepped is not None and now > self.stepped:
            rate = 1 / (now - self.stepped)
            before = self.steps_per_second
            self.steps_per_second = rate if before is None else 0.9 * before + 0.1 * rate
        self.stepped = now

    def pause(self) -> None:
        """Exclude the time until the next step from the steps per second."""
        self.stepped = None
