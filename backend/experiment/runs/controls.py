"""The requests that control a training."""

import time
from collections.abc import Mapping
from typing import Any, Protocol


class Controls(Protocol):
    """A source of requests.

    A request is `{"action": ...}` with an action of `run_status` or `detach`, `{"settings": ...}`
    with the settings to change, or `{"add_picture": {"image", "label"}}`.
    """

    def has_request(self, seconds: float = 0.0) -> bool:
        """Whether there is a request; waits for one for up to `seconds`."""

    def next_request(self) -> Mapping[str, Any]:
        """Return the next request; waits for one. `detach` means that the controller is gone."""


class NoControls:
    """No requests: for a training that nothing controls."""

    def has_request(self, seconds: float = 0.0) -> bool:
        time.sleep(seconds)
        return False

    def next_request(self) -> Mapping[str, Any]:
        raise RuntimeError("There will be no request.")


class Detached(Exception):
    """The session ends although the run has not ended; it can be resumed."""
