"""Pictures that a watched loop puts through its network: files beside its recording.

The network is only in the loop's own process. The server fits a picture to it and leaves it in a
file; the loop takes it after its next step and leaves the frame, or why there is none.
"""

import json
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stnscope.backend.experiment.errors import Conflict
from stnscope.backend.experiment.os_errors import translating_os_errors

PICTURE_SUFFIX, ANSWER_SUFFIX = ".picture", ".answer"
ERROR = "error"
"""The name of an answer that is no frame."""


class LoopPicture(NamedTuple):
    """A picture for a network: its key, and as `probes.added_pictures.encode_image` has it."""

    key: str
    image: str


def send(recording: Path, image: str) -> str:
    """Leave a picture for a loop, in place of one that it has not taken; return its key.

    Raises:
        StnscopeError: the file cannot be written; the text says why.
    """
    key = secrets.token_hex(8)
    path = recording.with_suffix(PICTURE_SUFFIX)
    with translating_os_errors(path):
        _write(path, json.dumps({"key": key, "image": image}).encode())
    return key


def take(recording: Path) -> LoopPicture | None:
    """Return the picture that is left for a loop, and remove it; None if there is none."""
    path = recording.with_suffix(PICTURE_SUFFIX)
    taken = path.with_suffix(f"{PICTURE_SUFFIX}-{os.getpid()}-{threading.get_ident()}")
    try:
        os.replace(path, taken)
    except OSError:
        return None
    try:
        fields = json.loads(taken.read_bytes())
        return LoopPicture(str(fields["key"]), str(fields["image"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    finally:
        with suppress(OSError):
            taken.unlink()


def answer(recording: Path, key: str, frame: bytes | None, error: str = "") -> None:
    """Leave the answer to a picture: a frame's bytes, or why there is none."""
    head = f"{key}\n{ERROR if frame is None else ''}\n".encode()
    # Whoever asked may be gone, or the disk full; the loop goes on.
    with suppress(OSError):
        body = error.encode() if frame is None else frame
        _write(recording.with_suffix(ANSWER_SUFFIX), head + body)


def read_answer(recording: Path, key: str) -> bytes | None:
    """Return the frame's bytes that a loop left for a picture, and remove them; None if none yet.

    Raises:
        Conflict: the network cannot take the picture; the text says why.
    """
    path = recording.with_suffix(ANSWER_SUFFIX)
    try:
        head, kind, body = path.read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    if head.decode(errors="replace") != key:
        return None
    with suppress(OSError):
        path.unlink()
    if kind.decode(errors="replace") == ERROR:
        raise Conflict(f"The network cannot take this picture: {body.decode(errors='replace')}")
    return body


def remove(recording: Path) -> None:
    """Remove what is left for a loop, and by it."""
    for suffix in (PICTURE_SUFFIX, ANSWER_SUFFIX):
        with suppress(OSError):
            recording.with_suffix(suffix).unlink()


def _write(path: Path, data: bytes) -> None:
    """Write a file that nobody reads before it is complete."""
    draft = path.with_suffix(f"{path.suffix}-new")
    draft.write_bytes(data)
    os.replace(draft, path)
