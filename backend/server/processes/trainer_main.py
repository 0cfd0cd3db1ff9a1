"""The trainer process: loads torch, waits for a recording, trains it and ends.

The first message is `{"recording": PATH, "data": PATH, "quota": {"run", "home", "reserve"}}`. All
that follow are requests as `runs.controls.Controls` describes them. When the input ends, the server
has ended: the trainer writes a checkpoint and ends. It is independent of viewers.
"""

# isort: off
from stnscope.backend.server.processes import garbage

# isort: on
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stnscope.backend.experiment.errors import StnscopeError
from stnscope.backend.experiment.recording.quota import Quota
from stnscope.backend.experiment.runs.session import record, warm_up
from stnscope.backend.server.processes.child_main import ParentPipe, lower_priority
from stnscope.backend.server.processes.message_pipe import Head, Message

DETACH: Message = ({"action": "detach"}, b"")


class ParentControls:
    """Requests from the parent process, as `runs.controls.Controls`."""

    def __init__(self) -> None:
        self._pipe = ParentPipe(last=DETACH)
        self._next: Head | None = None

    def has_request(self, seconds: float = 0.0) -> bool:
        if self._next is None and (message := self._pipe.receive(seconds)) is not None:
            self._next, _ = message
        return self._next is not None

    def next_request(self) -> Mapping[str, Any]:
        request, self._next = self._next, None
        if request is None:
            message = self._pipe.receive()
            assert message is not None
            request, _ = message
        return request


def main() -> None:
    lower_priority()
    requests = ParentControls()
    time.sleep(0.05)  # enough to read what was sent while torch was imported
    if not requests.has_request():
        warm_up()
    garbage.start_collection()
    first = requests.next_request()
    if "recording" in first:
        quota, data = Quota(**first["quota"]), Path(first["data"])
        try:
            record(Path(first["recording"]), requests, quota, data)
        except StnscopeError as error:  # what could not be written to the recording
            sys.exit(str(error))


if __name__ == "__main__":
    main()
