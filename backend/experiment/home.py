"""Where everything is kept: the home folder, and the recordings in it."""

import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from platformdirs import user_data_path

HOME_VARIABLE = "STNSCOPE_HOME"


def default_home(environment: Mapping[str, str]) -> Path:
    """Return the home folder that the environment names, else the platform's folder for data.

    Args:
        environment: the variables of the process.
    """
    return Path(environment.get(HOME_VARIABLE) or user_data_path("stnscope"))


def recordings_folder(home: Path) -> Path:
    """Return the folder of recordings in a home."""
    return home / "recordings"


def new_run_id() -> str:
    """Return an id that no run has: the time, and a random part."""
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"


def sweep_run_id(sweep_id: str, number: int) -> str:
    """Return the id of a run of a sweep.

    Args:
        sweep_id: as `new_run_id` returns one.
        number: of the run, from 1 on.
    """
    return f"{sweep_id}-{number:03}"


_SWEEP_RUN_ID = re.compile(r"(\d{8}-\d{6}-[0-9a-f]{6})-\d{3}")


def sweep_of(run_id: str) -> str | None:
    """Return the id of the sweep that created a run; None for one of no sweep."""
    found = _SWEEP_RUN_ID.fullmatch(run_id)
    return found and found[1]
