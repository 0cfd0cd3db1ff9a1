"""The pace of a training: how fast its steps go, and when its frames are due."""

import time
from dataclasses import dataclass, field

FRAME_INTERVAL = 1 / 20


class Cadence:
    """Says when something is due that is to happen so often a second on average, and no more.

    Steps seldom end just when a frame is due, and none end while held-out images are classified:
    what came late is made up for, though no more than `owed` seconds of it.
    """

    def __init__(self, interval: float, owed: float = 0.5) -> None:
        self._interval = interval
        self._owed = owed
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Whether it is due at `now`, in seconds; it then counts as done."""
        if self._next is None:
            self._next = now
        if now < self._next:
            return False
        self._next = max(self._next, now - self._owed) + self._interval
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
