"""The processes of a server, as `ps` tells of them."""

import subprocess
import time
from dataclasses import dataclass

from tests.live_server import Server, wait_until

TRAINER = "stnscope.backend.server.processes.trainer_main"


@dataclass(frozen=True)
class Process:
    """One process at one moment."""

    pid: int
    parent: int
    kilobytes: int
    """Resident."""
    cpu: str
    """Time it has had of a core, as `ps` writes it."""
    command: str


def processes() -> list[Process]:
    """All there are."""
    columns = ["-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "time=", "-o", "args="]
    told = subprocess.run(["ps", "-A", *columns], capture_output=True, text=True, check=True)
    rows = (line.split(None, 4) for line in told.stdout.splitlines())
    return [Process(int(r[0]), int(r[1]), int(r[2]), r[3], r[4]) for r in rows if len(r) == 5]


def trainers(server: Server) -> list[Process]:
    """A server's trainers, the spare among them, the oldest first."""
    assert server.process is not None
    pid = server.process.pid
    return sorted(
        (each for each in processes() if each.parent == pid and TRAINER in each.command),
        key=lambda each: each.pid,
    )


def await_rest(server: Server, seconds: float = 3.0) -> None:
    """Waits until a server's only trainer is a spare that has got ready and does nothing more."""

    def rests() -> bool:
        before = trainers(server)
        time.sleep(seconds)
        after = trainers(server)
        return len(after) == 1 and [p.cpu for p in before] == [p.cpu for p in after]

    wait_until(rests)
