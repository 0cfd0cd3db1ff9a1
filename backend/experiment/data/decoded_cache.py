"""A cache of images that take long to decode: one file beside the images. Without torch.

The file is written completely or not at all, and names what it was made from; otherwise it is
replaced. An error of the cache is ignored: the images are then decoded every time.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from stnscope.backend.experiment.data.source import PART_SUFFIX

MIN_FREE_BYTES = 2_000_000_000
"""Disk space that must be left after writing a cache."""
FORMAT = "1"
"""Version of the cache; changes when the same files are decoded to other pixels."""


def cached(
    path: Path, fingerprint: str, decode: Callable[[], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Return the pixels from the cache if they were decoded from the same files, else decode them.

    Args:
        path: the cache's file, a hidden one in the folder of the images.
        fingerprint: identifies the state of all files that the images are decoded from.
        decode: decodes the images.
    """
    made_from = f"{FORMAT} {fingerprint}"
    pixels = _read(path, made_from)
    if pixels is None:
        pixels = decode()
        _write(path, made_from, pixels)
    return pixels


def _read(path: Path, made_from: str) -> NDArray[np.uint8] | None:
    if not path.is_file():  # reading a pipe would not end
        return None
    with suppress(OSError, SafetensorError), safe_open(path, framework="numpy") as file:
        if (file.metadata() or {}).get("made_from") == made_from:
            pixels: NDArray[np.uint8] = file.get_tensor("pixels")
            return pixels
    return None


def _write(path: Path, made_from: str, pixels: NDArray[np.uint8]) -> None:
    folder = path.parent
    with suppress(OSError, SafetensorError):
        # The superuser may write anywhere; a folder marked as read-only is respected all the same.
        if not folder.stat().st_mode & 0o222:
            return
        # Also removes what a killed process has left; a process writing now only loses its cache.
        for old in (path, *folder.glob(f"{path.name}.*{PART_SUFFIX}")):
            old.unlink(missing_ok=True)
        if shutil.disk_usage(folder).free - pixels.nbytes < MIN_FREE_BYTES:
            return
        part = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
        try:
            save_file({"pixels": pixels}, part, {"made_from": made_from})
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
