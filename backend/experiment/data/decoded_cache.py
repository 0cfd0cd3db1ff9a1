"""Images that took long to decode, kept beside their files as one file.

It is written complete or not at all, and says what it was made from: with anything else it is made
anew. Without it all goes as with it, only slower, so nothing that goes wrong with it is an error.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

LEFT_FREE = 2_000_000_000
"""Bytes that the disk has left, after, at least."""
PART = ".part"
FORMAT = "1"
"""Another one wherever the same files are decoded to other pixels."""


def kept(path: Path, stamp: str, decode: Callable[[], Tensor]) -> Tensor:
    """What `decode` gives, from the file if it was made from the same.

    Args:
        path: of the file; it is hidden, in the folder that the images are read from.
        stamp: of all that the images are made from.
        decode: decodes them, to uint8.
    """
    made_from = f"{FORMAT} {stamp}"
    pixels = _read(path, made_from)
    if pixels is None:
        pixels = decode()
        _write(path, made_from, pixels)
    return pixels


def _read(path: Path, made_from: str) -> Tensor | None:
    with suppress(OSError, SafetensorError), safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("made_from") == made_from:
            pixels: Tensor = file.get_tensor("pixels")
            return pixels
    return None


def _write(path: Path, made_from: str, pixels: Tensor) -> None:
    folder = path.parent
    with suppress(OSError, SafetensorError):
        # Root may write anywhere; what is marked as only to be read is left alone by root too.
        if not folder.stat().st_mode & 0o222:
            return
        # Of one that was ended in the middle, too; another that is writing now gives up its own.
        for old in (path, *folder.glob(f"{path.name}.*{PART}")):
            old.unlink(missing_ok=True)
        if shutil.disk_usage(folder).free - pixels.nbytes < LEFT_FREE:
            return
        part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
        try:
            save_file({"pixels": pixels}, part, {"made_from": made_from})
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
