"""Pictures that a watched loop puts through its network: files beside its recording.

The network is only in the loop's own process. The server fits a picture to it and leaves it in a
file; the loop takes it after its next step and leaves the frame, or why there is none.
"""

import json
import os
import secrets
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.os_errors import translating_os_errors
from stnscope.backend.experiment.watching.loop_requests import create_exclusively, take_file

PICTURE_SUFFIX, RESULT_SUFFIX = ".picture", ".result"
ERROR = "error"
"""The name of a result that is not a frame."""
MAX_RESULTS = 16
"""Unread results of a loop that are kept; older ones are removed."""


class LoopPicture(NamedTuple):
    """A picture for a network: its key, and as `probes.added_pictures.encode_image` has it."""

    key: str
    image: str


def new_key() -> str:
    """Return a key that no picture has."""
    return secrets.token_hex(8)


def send(recording: Path, picture: LoopPicture) -> bool:
    """Write a picture for a loop; return False while another one waits.

    Raises:
        StnscopeError: the file cannot be written; the text has the reason.
    """
    path = recording.with_suffix(PICTURE_SUFFIX)
    with translating_os_errors(path):
        if path.exists():
            return False
        return create_exclusively(path, json.dumps(picture._asdict()).encode())


def withdraw(recording: Path, key: str) -> None:
    """Remove a picture that the loop has not read, or its result that is no longer needed."""
    path = recording.with_suffix(PICTURE_SUFFIX)
    with suppress(OSError, ValueError, TypeError, KeyError):
        if json.loads(path.read_bytes())["key"] == key:
            path.unlink()
    with suppress(OSError):
        _result_path(recording, key).unlink()


def take(recording: Path) -> LoopPicture | None:
    """Return the picture that waits for a loop, and remove it; None if there is none."""
    data = take_file(recording.with_suffix(PICTURE_SUFFIX))
    if data is None:
        return None
    try:
        fields = json.loads(data)
        picture = LoopPicture(str(fields["key"]), str(fields["image"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return picture if picture.key.isalnum() else None


def write_result(recording: Path, key: str, frame: bytes | None, error: str = "") -> None:
    """Write the result for a picture: a frame's bytes, or why there is none."""
    head = f"{ERROR if frame is None else ''}\n".encode()
    path = _result_path(recording, key)
    draft = path.with_name(f"{path.name}-new")
    # The client may have disconnected, or the disk be full; the loop continues.
    with suppress(OSError):
        draft.write_bytes(head + (error.encode(errors="replace") if frame is None else frame))
        os.replace(draft, path)  # complete before anybody reads it


def read_result(recording: Path, key: str) -> bytes | None:
    """Return the frame's bytes that a loop left for a picture, and remove them; None if none yet.

    Raises:
        Conflict: the network cannot take the picture; the text has the reason.
    """
    path = _result_path(recording, key)
    try:
        kind, body = path.read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return None
    with suppress(OSError):
        path.unlink()
    if kind.decode(errors="replace") == ERROR:
        raise Conflict(f"The network cannot take this picture: {body.decode(errors='replace')}")
    return body


class PictureResults:
    """The results of one loop; unread ones are removed after a time.

    Args:
        recording: of the loop.
    """

    def __init__(self, recording: Path) -> None:
        self._recording = recording
        self._keys: deque[str] = deque()

    def add(self, key: str, frame: bytes | None, error: str = "") -> None:
        """Write the result for a picture, as `write_result` does."""
        write_result(self._recording, key, frame, error)
        self._keys.append(key)
        if len(self._keys) > MAX_RESULTS:
            withdraw(self._recording, self._keys.popleft())

    def close(self) -> None:
        """Remove a picture that will not be read; a client may still read its result."""
        take(self._recording)


def _result_path(recording: Path, key: str) -> Path:
    return recording.with_suffix(f"{RESULT_SUFFIX}-{key}")
