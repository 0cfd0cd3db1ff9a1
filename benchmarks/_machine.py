"""The machine that figures were measured on."""

import os
import platform
from typing import Any


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_gigabytes": round(memory / 1e9, 1),
        # At idle priority it only gets what other processes leave.
        "idle_priority": os.sched_getscheduler(0) == os.SCHED_IDLE,
        "load_at_start": [round(load, 1) for load in os.getloadavg()],
    }
