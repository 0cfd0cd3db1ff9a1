"""Starts a Ray cluster on this machine for tests: a head, and nodes that can be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from stnscope.backend.experiment.recording.reader import Recording
from tests.forking import NewInterpreter
from tests.live_server import child_pids, free_port, wait_until

START = (Path(sys.executable).with_name("ray"), "start", "--block", "--disable-usage-stats")
SMALL_STORE = "--object-store-memory=100000000"


@dataclass
class RayCluster:
    """A cluster whose nodes are all on this machine; the first one is the head."""

    address: str
    folder: Path
    """Folder of its files; the path is short, since sockets are in it."""
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_node(self, cpus: int = 1) -> subprocess.Popen[bytes]:
        """Start a node, and wait until it has joined: two at once take each other's sockets."""
        return self._start(f"--address={self.address}", f"--num-cpus={cpus}")

    def start_head(self, cpus: int) -> None:
        """Start the head."""
        port = self.address.rpartition(":")[2]
        self._start(
            "--head",
            f"--port={port}",
            f"--num-cpus={cpus}",
            "--include-dashboard=false",
            f"--temp-dir={self.folder}",
        )

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        started = self._count_started()
        with self.output.open("ab") as log:
            node = NewInterpreter(
                [*START, SMALL_STORE, *options],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"RAY_TMPDIR": str(self.folder)},
            )
        self.nodes.append(node)
        wait_until(lambda: self._count_started() > started)
        return node

    def _count_started(self) -> int:
        return self.output.read_text().count("Ray runtime started") if self.output.exists() else 0

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"

    def actors(self) -> list[int]:
        """Return the ids of the processes that are trainers, or wait to be one, on the nodes."""
        folder = str(self.folder).encode()
        return [
            pid
            for pid in running_pids()
            if command_of(pid).startswith(b"ray::RemoteTrainer")
            and folder in command_of(parent_of(pid))
        ]

    def trainers(self) -> list[int]:
        """Return the ids of the processes that train on the nodes."""
        return [pid for actor in self.actors() for pid in child_pids(actor, "trainer_main")]

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """Kill all processes of a node at once, as when its power fails."""
        with suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        node.wait()
        self.nodes.remove(node)


def running_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def command_of(pid: int) -> bytes:
    """Return the command line of a process; nothing if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def parent_of(pid: int) -> int:
    """Return the id of a process's parent; 0 if it has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def progress(home: Path) -> int:
    """Return the step of the only run of a home; -1 before it has begun."""
    for recording in (home / "recordings").glob("*.stnscope"):
        with Recording.open(recording) as opened:
            return max(opened.frame_steps(), default=-1)
    return -1


@contextmanager
def ray_cluster(nodes: int = 0, head_cpus: int = 0) -> Iterator[RayCluster]:
    """Run a cluster.

    Args:
        nodes: how many there are besides the head; each has one CPU.
        head_cpus: CPUs of the head.
    """
    with TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as folder:
        cluster = RayCluster(f"127.0.0.1:{free_port()}", Path(folder))
        try:
            cluster.start_head(head_cpus)
            for _ in range(nodes):
                cluster.add_node()
            yield cluster
        finally:
            for node in reversed(cluster.nodes[:]):
                cluster.kill(node)
