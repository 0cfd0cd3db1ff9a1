"""Who controls a training, as far as that training knows."""

import time
from collections.abc import Mapping
from typing import Any, Protocol


class Controls(Protocol):
    """Where requests come from.

    Each is `{"action": ...}` with an action of `run_status`, `{"settings": ...}` with what is to be
    changed, or `{"join": {"image", "label"}}` with a picture that is to be watched as well.
    """

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether a request has come that was not taken yet; waits for one so long."""

    def take(self) -> Mapping[str, Any]:
        """The next request; waits for one. `leave` is what a lost controller amounts to."""


class Uncontrolled:
    """Nobody asks for anything: a run trained from the command line."""

    def waiting(self, seconds: float = 0.0) -> bool:
        time.sleep(seconds)
        return False

    def take(self) -> Mapping[str, Any]:
        raise RuntimeError("There is nobody to wait for.")


class Left(Exception):
    """The session ends here without the run having ended; it can be gone on with."""
