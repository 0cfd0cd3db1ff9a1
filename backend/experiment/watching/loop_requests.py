"""Requests to a watched loop: a file beside its recording, which the loop takes at a pause point.

The loop is a program of its own, which only shares a folder with the server: a file needs no port,
waits until the loop is ready, and serves every server of that folder.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from stnscope.backend.experiment.config import SettingsChange
from stnscope.backend.experiment.errors import Unavailable
from stnscope.backend.experiment.os_errors import display_name, translating_os_errors
from stnscope.backend.experiment.run_status import Action

REQUEST_SUFFIX = ".request"
MAX_ATTEMPTS = 100
"""Attempts to write a request while other processes do."""


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
        Unavailable: others request something all the time.
        StnscopeError: the file cannot be written; the text has the reason.
    """
    path = request_path(recording)
    with translating_os_errors(path):
        # Again where another server, or another thread of this one, sends something meanwhile.
        for _ in range(MAX_ATTEMPTS):
            pending = take(recording)
            if pending is not None:
                request = pending.followed_by(request)
            text = request.model_dump_json(exclude_none=True)
            if create_exclusively(path, text.encode()):
                return
    raise Unavailable(f"Another request to this loop is in {display_name(path)}; try again.")


def take(recording: Path) -> LoopRequest | None:
    """Return what is requested of a loop, and remove the request; None if there is none.

    It costs a loop some microseconds if there is none. What is no request is removed and ignored.
    """
    data = take_file(request_path(recording))
    try:
        return None if data is None else LoopRequest.model_validate_json(data)
    except ValidationError:
        return None


def take_file(path: Path) -> bytes | None:
    """Return what is in a file, and remove it; None if there is none."""
    # A loop looks after each step; to rename what is not there takes ten times as long.
    if not os.path.exists(path):
        return None
    moved = _draft(path)
    try:
        # Renamed before it is read: it is taken once, even if two try to at once.
        os.replace(path, moved)
    except OSError:
        return None
    try:
        return moved.read_bytes()
    except OSError:
        return None
    finally:
        with suppress(OSError):
            moved.unlink()


def create_exclusively(path: Path, data: bytes) -> bool:
    """Create a file that is complete from the first moment on; return False if there is one.

    Raises:
        OSError: it cannot be written.
    """
    draft = _draft(path)
    try:
        draft.write_bytes(data)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()
    return True


def _draft(path: Path) -> Path:
    """Return a name beside a file that nothing else has."""
    return path.with_name(f"{path.name}-{secrets.token_hex(8)}")
