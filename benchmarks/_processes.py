"""The processes of a server, from `ps`."""

import subprocess
import time
from dataclasses import dataclass

from tests.live_server import Server, wait_until

TRAINER = "stnscope.backend.server.processes.trainer_main"


@dataclass(frozen=True)
class Process:
    """One process at one time."""

    pid: int
    parent: int
    kilobytes: int
    """Resident."""
    cpu: str
    """CPU time, as `ps` writes it."""
    command: str


def processes() -> list[Process]:
    """Return all processes of the machine."""
    columns = ["-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "time=", "-o", "args="]
    done = subprocess.run(["ps", "-A", *columns], capture_output=True, text=True, check=True)
    rows = (line.split(None, 4) for line in done.stdout.splitlines())
    return [Process(int(r[0]), int(r[1]), int(r[2]), r[3], r[4]) for r in rows if len(r) == 5]


def trainers(server: Server) -> list[Process]:
    """Return a server's trainers, the standby process included, oldest first."""
    assert server.process is not None
    pid = server.process.pid
    return sorted(
        (
            process
            for process in processes()
            if process.parent == pid and TRAINER in process.command
        ),
        key=lambda process: process.pid,
    )


def wait_until_idle(server: Server, seconds: float = 3.0) -> None:
    """Wait until a server's only trainer is a standby process that is ready and idle."""

    def is_idle() -> bool:
        before = trainers(server)
        time.sleep(seconds)
        after = trainers(server)
        return len(after) == 1 and [p.cpu for p in before] == [p.cpu for p in after]

    wait_until(is_idle)
