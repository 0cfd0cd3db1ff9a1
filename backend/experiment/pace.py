"""The pace of a training: how fast its steps go, and when its frames are due."""

import math
import time
from dataclasses import dataclass, field

FRAME_INTERVAL = 1 / 20


class Cadence:
    """Says when something is due that is to happen so often a second on average, and no more.

    Steps seldom end just when a frame is due; what one comes late, the next may come early.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = -math.inf

    def due(self, now: float) -> bool:
        """Whether it is due at `now`, in seconds; it then counts as done."""
        if now < self._next:
            return False
        late = now - self._next
        self._next = (self._next if late < self._interval else now) + self._interval
        return True


@dataclass
class Pace:
    """When the last checkpoint was made, when frames are due, and how fast the steps go."""

    frames: Cadence = field(default_factory=lambda: Cadence(FRAME_INTERVAL))
    checkpointed: float = field(default_factory=time.monotonic)
    stepped: float | None = None
    steps_per_second: float | None = None

    def note_step(self, now: float) -> None:
        if self.stepped is not None and now > self.stepped:
            rate = 1 / (now - self.stepped)
            before = self.steps_per_second
            self.steps_per_second = rate if before is None else 0.9 * before + 0.1 * rate
        self.stepped = now

    def hold(self) -> None:
        """Time that is spent paused counts for nothing."""
        self.stepped = None
