"""The deadlines of a server: how long it waits for processes and clients.

All are in one place, so that tests can shorten one and a slow machine can stretch all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Deadlines:
    """Deadlines in seconds.

    Attributes:
        silence: without a heartbeat, a child process hangs: it was stopped, or is swapped out.
        stall: in one native call, a child process hangs, though its heartbeat goes on.
        load: without a heartbeat while a child process starts: torch blocks it while it is loaded.
        start: for a child process to start and load what it needs.
        end: for a trainer to write a checkpoint and end.
        picture: for a picture to be transformed.
        recording: for an uploaded recording to be read.
        header: for a client to send the header of a request, from when it has connected.
        body: by which the body of a request may be late.
        unread: for a client to read something of a response.
    """

    silence: float = 10.0
    stall: float = 20.0
    load: float = 25.0
    start: float = 60.0
    end: float = 5.0
    picture: float = 20.0
    recording: float = 600.0
    header: float = 20.0
    body: float = 20.0
    unread: float = 60.0

    def with_values(self, factor: float = 1.0, values: Mapping[str, float] | None = None) -> Self:
        """Return these deadlines, stretched by a factor, with other `values` for some of them.

        Raises:
            ValueError: there is no such deadline, or one is not above 0.
        """
        values = values or {}
        names = [field.name for field in fields(self)]
        if unknown := values.keys() - set(names):
            raise ValueError(f"There is no deadline {min(unknown)}; there are {', '.join(names)}.")
        if not all(value > 0 for value in (factor, *values.values())):
            raise ValueError("A deadline, and the factor of all of them, must be above 0.")
        stretched = {name: factor * getattr(self, name) for name in names}
        return replace(self, **(stretched | dict(values)))
