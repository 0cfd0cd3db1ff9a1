"""Sources of the requests that control training."""

import time
from collections.abc import Mapping
from typing import Any, Protocol


class Controls(Protocol):
    """A source of requests.

    A request is `{"action": ...}` with an `Action` of `run_status` or `detach`, `{"settings": ...}`
    with the settings to change, or `{"add_picture": {"image", "label"}}`. `detach` is sent when
    the controlling process has ended.
    """

    def has_request(self, seconds: float = 0.0) -> bool:
        """Wait for a request for at most `seconds`; return whether there is one."""

    def next_request(self) -> Mapping[str, Any]:
        """Wait for the next request and return it."""


class NoControls:
    """A source without requests, for training that is not controlled."""

    def has_request(self, seconds: float = 0.0) -> bool:
        time.sleep(seconds)
        return False

    def next_request(self) -> Mapping[str, Any]:
        raise RuntimeError("There are no requests.")


class Detached(Exception):
    """The session ended before its run did; the run can be resumed."""
