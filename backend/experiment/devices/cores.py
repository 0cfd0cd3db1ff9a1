"""The CPU of this machine: its name, its cores, and how many threads a run has by default."""

import math
import os
import platform
from contextlib import suppress
from pathlib import Path

from stnscope.backend.experiment.limits import MAX_THREADS

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""File with a container's microseconds of CPU time, or `max`, and their period."""
TRAINERS = 2
"""How many runs train at a time by default."""
MAX_AUTOMATIC = 8
"""More threads have little left to share in a batch of some dozen small images."""


def processor_name() -> str:
    """Return the CPU's name, or at least its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def count_cores(quota: Path = CGROUP_QUOTA) -> int:
    """Return how many cores this process may use: of the machine, and of its container."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # only Linux has it
        cores = os.cpu_count() or 1
    with suppress(OSError, ValueError):  # there is no quota
        time, period = quota.read_text(encoding="ascii").split()
        cores = min(cores, math.ceil(int(time) / int(period)))
    return max(1, cores)


def automatic_threads(cores: int | None = None, trainers: int = TRAINERS) -> int:
    """Return the number of threads of a run whose configuration has `auto`.

    One core is left to the server and the page, and the others are shared by the runs that may
    train at once, so that neither waits for the other.

    Args:
        cores: that are available; by default those of this machine.
        trainers: how many runs may train at once.
    """
    shared = (cores or count_cores()) - 1
    return min(max(1, shared // trainers), MAX_AUTOMATIC, MAX_THREADS)
