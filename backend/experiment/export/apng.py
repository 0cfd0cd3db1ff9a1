"""Write an animated PNG frame by frame: exact colours, only what changed.

Format: PNG specification, third edition, W3C 2025, w3.org/TR/png-3.
"""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stnscope.backend.experiment.export.animation import draw_frames
from stnscope.backend.experiment.export.metadata import describe
from stnscope.backend.experiment.export.options import ExportOptions, Progress, ReadableRecording
from stnscope.backend.experiment.export.plan import Plan, plan
from stnscope.backend.experiment.export.png import png_texts

Pixels = NDArray[np.uint8]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUECOLOUR = struct.pack(">BBBBB", 8, 2, 0, 0, 0)
"""8 bits, RGB, and the only compression, filter method and order of pixels."""
KEEP_AND_REPLACE = 0, 0
"""The frame stays below the next one, whose rectangle replaces its pixels."""


def write_apng(
    recording: ReadableRecording,
    options: ExportOptions,
    target: Path,
    progress: Progress | None = None,
) -> None:
    """Write an animated PNG; arguments and errors as those of `export`."""
    target.write_bytes(encode_apng(recording, plan(recording, options), options, progress))


def encode_apng(
    recording: ReadableRecording,
    chosen: Plan,
    options: ExportOptions,
    progress: Progress | None = None,
) -> bytes:
    """Return the bytes of the animation of a plan."""
    writer = ApngWriter(chosen.size, len(chosen.frames))
    writer.add_texts(png_texts(describe(recording.summary(), chosen, options)))
    for layers, delay in zip(draw_frames(recording, chosen, progress), chosen.delays, strict=True):
        writer.add(layers.flatten(), delay)
    return writer.finish()


class ApngWriter:
    """Writes an animated PNG in true colour.

    Args:
        size: (width, height) in pixels.
        count: the number of frames.
    """

    def __init__(self, size: tuple[int, int], count: int) -> None:
        header = struct.pack(">II", *size) + TRUECOLOUR
        self._parts = [
            SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"acTL", struct.pack(">II", count, 0)),
        ]
        self._sequence = 0
        self._previous: Pixels | None = None

    def add_texts(self, chunks: list[tuple[bytes, bytes]]) -> None:
        """Add chunks of text, each its type and data."""
        self._parts += [_chunk(kind, data) for kind, data in chunks]

    def add(self, pixels: Pixels, hundredths: int) -> None:
        """Add a frame (height, width, 3) that is shown for some hundredths of a second."""
        top, left, changed = _difference(self._previous, pixels)
        height, width = changed.shape[:2]
        control = struct.pack(
            ">IIIIHHBB", width, height, left, top, hundredths, 100, *KEEP_AND_REPLACE
        )
        self._parts.append(_chunk(b"fcTL", self._number() + control))
        data = _compress(changed)
        if self._previous is None:
            self._parts.append(_chunk(b"IDAT", data))
        else:
            self._parts.append(_chunk(b"fdAT", self._number() + data))
        self._previous = pixels

    def finish(self) -> bytes:
        """Return the bytes of the file."""
        return b"".join([*self._parts, _chunk(b"IEND", b"")])

    def _number(self) -> bytes:
        self._sequence += 1
        return struct.pack(">I", self._sequence - 1)


def _difference(previous: Pixels | None, pixels: Pixels) -> tuple[int, int, Pixels]:
    """Return the top, the left and the pixels of the rectangle that changed; at least a pixel."""
    if previous is None:
        return 0, 0, pixels
    changed = (previous != pixels).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    if not rows.size:
        return 0, 0, pixels[:1, :1]
    top, left = int(rows[0]), int(columns[0])
    return top, left, pixels[top : rows[-1] + 1, left : columns[-1] + 1]


def _compress(pixels: Pixels) -> bytes:
    """Return filtered and compressed rows, as Pillow's PNG encoder makes them."""
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    data, parts, start = file.getvalue(), [], len(SIGNATURE)
    while start < len(data):
        (length,) = struct.unpack_from(">I", data, start)
        if data[start + 4 : start + 8] == b"IDAT":
            parts.append(data[start + 8 : start + 8 + length])
        start += length + 12
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
