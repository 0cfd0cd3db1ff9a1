"""Requests to a watched loop: a file beside its recording, which the loop takes at a pause point.

The loop is a program of its own, which only shares a folder with the server: a file needs no port,
waits until the loop is ready, and serves every server of that folder.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.run_status import Action

REQUEST_SUFFIX = ".request"


class LoopRequest(BaseModel):
    """What is requested of a loop: an action, other settings, or both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action | None = None
    settings: SettingsChange = SettingsChange()

    def followed_by(self, later: "LoopRequest") -> "LoopRequest":
        """Return one request for this and a later one: the later action, and all settings."""
        return LoopRequest(
            action=later.action or self.action, settings=self.settings.followed_by(later.settings)
        )


def request_path(recording: Path) -> Path:
    """Return the file for requests to the loop of a recording."""
    return recording.with_suffix(REQUEST_SUFFIX)


def send(recording: Path, request: LoopRequest) -> None:
    """Request something of a loop; what it has not taken yet is requested as well.

    Raises:
        StnscopeError: the file cannot be written; the text says why.
    """
    path = request_path(recording)
    with translating_os_errors(path):
        pending = take(recording)
        if pending is not None:
            request = pending.followed_by(request)
        draft = path.with_suffix(f"{REQUEST_SUFFIX}-new")
        draft.write_text(request.model_dump_json(exclude_none=True))
        # Renamed when it is complete, so that the loop never reads a part of it.
        os.replace(draft, path)


def take(recording: Path) -> LoopRequest | None:
    """Return what is requested of a loop, and remove the request; None if there is none.

    It costs a loop some microseconds if there is none. What is no request is removed and ignored.
    """
    path = request_path(recording)
    taken = path.with_suffix(f"{REQUEST_SUFFIX}-{os.getpid()}-{threading.get_ident()}")
    try:
        # Renamed before it is read: a request is taken once, even if two try to at once.
        os.replace(path, taken)
    except OSError:
        return None
    try:
        return LoopRequest.model_validate_json(taken.read_bytes())
    except (OSError, ValidationError):
        return None
    finally:
        with suppress(OSError):
            taken.unlink()
