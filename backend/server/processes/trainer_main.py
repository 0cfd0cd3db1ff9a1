"""The trainer process: loads torch, waits to be given a recording, trains it, ends.

It is controlled by lines of JSON on its standard input: first
`{"recording": PATH, "data": PATH, "bounds": {"run", "home", "reserve"}}`, then requests such as
`{"action": "pause"}`, `{"settings": {"moving": true}}` and `{"join": {"image", "label"}}`. When the
input ends, its server is gone: it writes a checkpoint and leaves. Whether anyone watches, it does
not know.
"""

import gc
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.runs.session import record, warm_up

# A trainer yields to the server and the browser when they share its core.
NICENESS = 5
LEAVE: Mapping[str, Any] = {"action": "leave"}


class InputLines:
    """Requests that arrive as lines on standard input, read beside the training."""

    def __init__(self) -> None:
        self._requests: queue.SimpleQueue[Mapping[str, Any]] = queue.SimpleQueue()
        self._next: Mapping[str, Any] | None = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self._requests.put(json.loads(line))
        self._requests.put(LEAVE)

    def waiting(self, seconds: float = 0.0) -> bool:
        if self._next is None:
            with suppress(queue.Empty):
                self._next = self._requests.get(block=seconds > 0, timeout=seconds or None)
        return self._next is not None

    def take(self) -> Mapping[str, Any]:
        request, self._next = self._next, None
        return self._requests.get() if request is None else request


def lower_priority() -> None:
    """Lets all that shares the cores go first; a courtesy, and not offered on every platform."""
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
        # Linux may weigh sessions first, and only then what runs in each.
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def main() -> int:
    lower_priority()
    requests = InputLines()
    time.sleep(0.05)  # what was written while torch was imported is read in less
    if not requests.waiting():
        warm_up()
    # What is loaded by now stays; looking through it again and again for garbage stops a step.
    gc.freeze()
    first = requests.take()
    if first == LEAVE:
        return 0
    bounds, data = Quota(**first["bounds"]), Path(first["data"])
    record(Path(first["recording"]), requests, bounds, data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
