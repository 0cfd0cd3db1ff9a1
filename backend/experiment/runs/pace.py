"""The pace of training: steps per second, and the times of frames and checkpoints."""

import time
from dataclasses import dataclass, field

FRAME_INTERVAL = 1 / 20
"""Seconds."""
WRITE_INTERVAL = 1 / 20
"""Seconds of steps that are written in one transaction, and that a crash may cost."""


class Cadence:
    """Decides when an event is due that repeats at a given average interval.

    Steps seldom end exactly when a frame is due, and none ends during validation. After a delay,
    events are due earlier until the average is restored.

    Args:
        interval: seconds between two events.
        max_delay: seconds; only this much of a longer delay is compensated.
    """

    def __init__(self, interval: float, max_delay: float = 0.5) -> None:
        self._interval = interval
        self._max_delay = max_delay
        self._next: float | None = None

    def is_due(self, now: float) -> bool:
        """Return whether the event is due at `now`, in seconds; if so, schedule the next one."""
        if self._next is None:
            self._next = now
        if now < self._next:
            return False
        self._next = max(self._next, now - self._max_delay) + self._interval
        return True


@dataclass
class Pace:
    """Steps per second, and the times of frames and checkpoints, in seconds."""

    frames: Cadence = field(default_factory=lambda: Cadence(FRAME_INTERVAL))
    checkpoint_time: float = field(default_factory=time.monotonic)
    write_time: float = field(default_factory=time.monotonic)
    step_seconds: float = 0.0
    """Duration of the last step."""
    training_seconds: float = 0.0
    """Duration of all steps so far, without pauses."""
    step_time: float | None = None
    """End of the last step; None after a pause."""
    steps_per_second: float | None = None

    def add_step(self, now: float) -> None:
        """Update the steps per second after a step that ended at `now`."""
        if self.step_time is not None and now > self.step_time:
            self.step_seconds = now - self.step_time
            self.training_seconds += self.step_seconds
            rate = 1 / self.step_seconds
            previous = self.steps_per_second
            self.steps_per_second = rate if previous is None else 0.9 * previous + 0.1 * rate
        self.step_time = now

    def is_write_due(self) -> bool:
        """Whether another step would end after `WRITE_INTERVAL`."""
        return time.monotonic() + self.step_seconds >= self.write_time + WRITE_INTERVAL

    def pause(self) -> None:
        """Exclude the time until the next step from the steps per second."""
        self.step_time = None
